import { createHmac } from 'node:crypto';

const BASE64_MARK = 'whsec_';

/** A secret that begins with `whsec_` is the base64 of its key, any other is the key itself. */
export function keyFrom(secret: string): Buffer {
  return secret.startsWith(BASE64_MARK)
    ? Buffer.from(secret.slice(BASE64_MARK.length), 'base64')
    : Buffer.from(secret);
}

/** The headers of the Standard Webhooks format: who has the key can tell that this body was sent at that time. */
export function signedHeaders(key: Buffer, id: string, atMs: number, body: string): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

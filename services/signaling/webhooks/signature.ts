import { createHmac } from 'node:crypto';

const BASE64_MARK = 'whsec_';
/** RFC 4648, 4; with or without its padding. */
const BASE64 = /^[A-Za-z\d+/]+={0,2}$/;

/** A secret that begins with `whsec_` is the base64 of its key, any other is the key itself. Undefined: it is no base64. */
export function keyFrom(secret: string): Buffer | undefined {
  if (!secret.startsWith(BASE64_MARK)) return Buffer.from(secret);
  const text = secret.slice(BASE64_MARK.length);
  return BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/** The headers of the Standard Webhooks format: who has the key can tell that this body was sent at that time. */
export function signedHeaders(key: Buffer, id: string, atMs: number, body: string): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

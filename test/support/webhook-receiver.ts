import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { eventually } from './eventually.ts';

export const WEBHOOK_SECRET = 'a-secret-of-webhooks-that-is-hard-to-guess';

export interface Hook {
  readonly id: string;
  readonly type: string;
  readonly room: string;
  readonly epoch: number;
  readonly seq: number;
  readonly at: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the wire as it is
  readonly data: any;
}

/** A product's backend: takes webhooks whose signature is right, and keeps them in the order in which they came. */
export interface WebhookReceiver {
  readonly url: string;
  readonly hooks: readonly Hook[];
  /** Every request, taken or not. */
  readonly tries: number;
  /** How the next requests are answered, before all others are taken. */
  answerNext(...answers: ((request: IncomingMessage, response: ServerResponse) => void)[]): void;
  /** The first of a type (and of a room) that no call returned before. */
  next(type: string, room?: string): Promise<Hook>;
  close(): Promise<void>;
}

export async function startReceiver(secret = WEBHOOK_SECRET): Promise<WebhookReceiver> {
  const hooks: Hook[] = [];
  const taken = new Set<Hook>();
  const answers: ((request: IncomingMessage, response: ServerResponse) => void)[] = [];
  let tries = 0;
  const server = createServer(async (request, response) => {
    tries++;
    const answer = answers.shift();
    if (answer !== undefined) return answer(request, response);
    const body = await text(request);
    if (!isSigned(request, body, secret)) return response.writeHead(401).end();
    hooks.push({ id: String(request.headers['webhook-id']), ...JSON.parse(body) });
    return response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    hooks,
    get tries() {
      return tries;
    },
    answerNext: (...more) => void answers.push(...more),
    async next(type, room) {
      const isIt = (hook: Hook) => hook.type === type && (room === undefined || hook.room === room);
      const hook = await eventually(() => hooks.find((each) => isIt(each) && !taken.has(each)) ?? false, {
        what: `a webhook ${type}`,
        timeoutMs: 10_000,
      });
      taken.add(hook as Hook);
      return hook as Hook;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As docs/operations.md tells receivers to check it. */
function isSigned({ headers }: IncomingMessage, body: string, secret: string): boolean {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  if (Math.abs(Date.now() / 1_000 - Number(timestamp)) > 300) return false;
  const expected = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  return headers['webhook-signature'] === `v1,${expected}` && headers['content-type'] === 'application/json';
}

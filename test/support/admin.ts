import type { TestNode } from './cluster.ts';

export const ADMIN_TOKEN = 'a-token-of-operators-that-is-hard-to-guess';

export interface AdminCall {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly token?: string;
}

/** A call of the admin API at one node: the status, with the members of the reply. */
export async function admin(
  at: Pick<TestNode, 'opsUrl'>,
  path: string,
  body?: unknown,
  { method = body === undefined ? 'GET' : 'POST', token = ADMIN_TOKEN }: AdminCall = {},
) {
  const answer = await fetch(`${at.opsUrl}/admin/v1${path}`, {
    method,
    headers: {
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the reply as it is
  return { status: answer.status, ...((await answer.json()) as any) };
}

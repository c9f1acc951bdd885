import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../../services/cluster/token.ts', import.meta.url));
const SECRET = 'a-secret-of-at-least-thirty-two-bytes';

/** Without bootstrap.mjs, which is not to install or build anything here. */
async function token(args: readonly string[], env: Record<string, string> = { JWT_SECRET: SECRET }) {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, ...args], { env });
  return stdout;
}

test('prints a token of the asked claims, signed with the first secret', async () => {
  const given = ['--room', 'blue', '--role', 'host', '--name', '安娜', '--sub', 'ann', '--ttl', '15m'];
  const text = await token(given, {
    JWT_SECRET: `${SECRET} another-secret-of-thirty-two-bytes`,
    JWT_ISSUER: 'me',
  });
  expect(text).toMatch(/^\S+\n$/);
  expect(decodeProtectedHeader(text.trim())).toEqual({ alg: 'HS256', typ: 'JWT' });
  const { payload } = await jwtVerify(text.trim(), Buffer.from(SECRET));
  expect(payload).toMatchObject({ sub: 'ann', room: 'blue', role: 'host', name: '安娜', iss: 'me' });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900);
});

test('makes a new person for an hour where nothing is asked', async () => {
  const [one, other] = await Promise.all([token([]), token([])]);
  const subs = await Promise.all(
    [one, other].map(async (text) => (await jwtVerify(text?.trim() ?? '', Buffer.from(SECRET))).payload),
  );
  expect(subs[0]?.sub).not.toBe(subs[1]?.sub);
  expect(Object.keys(subs[0] ?? {}).sort()).toEqual(['exp', 'iat', 'sub']);
});

test.each([
  [[], {}, 'JWT_SECRET is not set. Give the secret'],
  [[], { JWT_SECRET: 'short' }, 'JWT_SECRET must be at least 32 bytes'],
  [['--role', 'admin'], undefined, '--role "admin" is none of host'],
  [['--ttl', 'soon'], undefined, '--ttl "soon" is no time'],
  [['--room', 'a{b}'], undefined, 'its claim "room" must be a room name'],
  [['--colour', 'red'], undefined, "Unknown option '--colour'"],
])('says in one line what it cannot use: %j %j', async (args, env, message) => {
  const failed = await token(args, env).then(
    () => undefined,
    (error: { stdout: string; stderr: string; code: number }) => error,
  );
  expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(message) });
  expect(failed?.stderr.trim().split('\n')).toHaveLength(1);
});

import type { Socket } from 'socket.io';
import { expect, test } from 'vitest';
import { NOBODY_KNOWN } from '../../../services/signaling/domain/identity.ts';
import { type Admission, addressOf, admit } from '../../../services/signaling/sockets/handshake.ts';

const socket = (auth?: unknown) => ({ handshake: { headers: { host: 'node:3001' }, auth } }) as Socket;

function admission(members: Partial<Admission> = {}): Admission {
  return {
    allowedOrigins: undefined,
    connectionsMax: 1,
    connections: () => 1,
    isDraining: () => false,
    verifyToken: undefined,
    ...members,
  };
}

test('a node that begins to drain while a token is looked at does not let its bearer in', async () => {
  let isDraining = false;
  const verifyToken = async () => {
    isDraining = true;
    return { ok: true, identity: NOBODY_KNOWN } as const;
  };
  const admitted = await admit(
    socket({ token: 'x' }),
    admission({ verifyToken, isDraining: () => isDraining }),
  );
  expect(admitted).toMatchObject({
    ok: false,
    error: { code: 'draining', retry_after_ms: expect.any(Number) },
  });
});

test('no token is looked at for a node that is full: that may cost more than to refuse', async () => {
  const verifyToken = () => Promise.reject(new Error('it was looked at'));
  const admitted = await admit(socket({ token: 'x' }), admission({ verifyToken, connections: () => 2 }));
  expect(admitted).toMatchObject({ ok: false, error: { code: 'node_full' } });
});

test.each([undefined, null, 'x', 7, []])('an auth of %j holds no token', async (auth) => {
  const seen: unknown[] = [];
  const verifyToken: Admission['verifyToken'] = async (token) => {
    seen.push(token);
    return { ok: false, code: 'unauthorized', fault: 'missing', message: 'none' };
  };
  expect(await admit(socket(auth), admission({ verifyToken }))).toEqual({
    ok: false,
    error: { code: 'unauthorized', message: 'none' },
  });
  expect(seen).toEqual([undefined]);
});

test.each([
  [false, '203.0.113.7', '192.0.2.1'],
  [true, '203.0.113.7', '203.0.113.7'],
  [true, '10.0.0.1, evil,203.0.113.7', '203.0.113.7'],
  [true, '2001:db8::7', '2001:db8::7'],
  [true, undefined, '192.0.2.1'],
  [true, '203.0.113.7, ', '192.0.2.1'],
  [true, 'x'.repeat(9_000), 'x'.repeat(64)],
])('behind a proxy: %s, X-Forwarded-For %j comes from %s', (isBehindProxy, forwarded, expected) => {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  expect(addressOf({ address: '192.0.2.1', headers }, isBehindProxy)).toBe(expected);
});

test('whom the keys fail is told when to come back, each at another time', async () => {
  const verifyToken: Admission['verifyToken'] = async () => {
    return { ok: false, code: 'unavailable', fault: 'keys_unavailable', message: 'none' };
  };
  const waits = new Set<number>();
  for (let n = 0; n < 20; n++) {
    const admitted = await admit(socket({ token: 'x' }), admission({ verifyToken }));
    if (!admitted.ok) waits.add(admitted.error.retry_after_ms ?? 0);
  }
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_500);
  expect(Math.max(...waits)).toBeLessThanOrEqual(2_500);
  expect(waits.size).toBeGreaterThan(5);
});

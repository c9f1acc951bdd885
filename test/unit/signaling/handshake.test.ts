import { expect, test } from 'vitest';
import type { Network } from '../../../services/signaling/domain/address.ts';
import { NOBODY_KNOWN } from '../../../services/signaling/domain/identity.ts';
import { type Admission, admit } from '../../../services/signaling/sockets/handshake.ts';

const handshake = (auth: { token?: unknown } = {}) => ({ headers: { host: 'node:3001' }, auth });
const place = {
  address: '192.0.2.1',
  network: '192.0.2.1' as Network,
  isJoined: false,
  onFrame: () => {},
  close: () => {},
};

function admission(members: Partial<Admission> = {}): Admission {
  return {
    allowedOrigins: undefined,
    places: { admit: () => true },
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
    handshake({ token: 'x' }),
    place,
    admission({ verifyToken, isDraining: () => isDraining }),
  );
  expect(admitted).toMatchObject({
    ok: false,
    error: { code: 'draining', retry_after_ms: expect.any(Number) },
  });
});

test('no token is looked at for a node that is full: that may cost more than to refuse', async () => {
  const verifyToken = () => Promise.reject(new Error('it was looked at'));
  const admitted = await admit(
    handshake({ token: 'x' }),
    place,
    admission({ verifyToken, places: { admit: () => false } }),
  );
  expect(admitted).toMatchObject({ ok: false, error: { code: 'node_full' } });
});

test('an address with too many wrong tokens is told when it is listened to again', async () => {
  const verifyToken: Admission['verifyToken'] = async () => {
    return { ok: false, code: 'rate_limited', message: 'too many', retryMs: 1_234 };
  };
  expect(await admit(handshake({ token: 'x' }), place, admission({ verifyToken }))).toEqual({
    ok: false,
    error: { code: 'rate_limited', message: 'too many', retry_after_ms: 1_234 },
  });
});

test('whom the keys fail is told when to come back, each at another time', async () => {
  const verifyToken: Admission['verifyToken'] = async () => {
    return { ok: false, code: 'unavailable', fault: 'keys_unavailable', message: 'none' };
  };
  const waits = new Set<number>();
  for (let n = 0; n < 20; n++) {
    const admitted = await admit(handshake({ token: 'x' }), place, admission({ verifyToken }));
    if (!admitted.ok) waits.add(admitted.error.retry_after_ms ?? 0);
  }
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_500);
  expect(Math.max(...waits)).toBeLessThanOrEqual(2_500);
  expect(waits.size).toBeGreaterThan(5);
});

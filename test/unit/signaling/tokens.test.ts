import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { CompactSign, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import type { Identity } from '../../../services/signaling/domain/identity.ts';
import { roomId } from '../../../services/signaling/domain/room-id.ts';
import { allowsName, allowsRoom, isExpired, isOverdue } from '../../../services/signaling/domain/token.ts';
import { parsePublicKeys } from '../../../services/signaling/tokens/public-keys.ts';
import { type TokenSettings, tokenVerifier } from '../../../services/signaling/tokens/verifier.ts';

const NOW_S = 1_800_000_000;
const SECRET = 'a secret of at least thirty-two bytes';
const CLAIMS = { sub: 'ann', exp: NOW_S + 3_600 };

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed25519 = generateKeyPairSync('ed25519');

function pem({ publicKey }: { publicKey: KeyObject }): string {
  return publicKey.export({ type: 'spki', format: 'pem' }) as string;
}

function verifierOf(settings: Partial<TokenSettings> & { readonly publicKeyText?: string }) {
  const { publicKeyText, ...given } = settings;
  const faults: string[] = [];
  const { verify } = tokenVerifier(
    {
      secrets: [],
      publicKeys: publicKeyText === undefined ? [] : (parsePublicKeys(publicKeyText) ?? []),
      jwksUrl: undefined,
      issuer: undefined,
      audience: undefined,
      ...given,
    },
    { wallMs: () => NOW_S * 1_000, onRefused: (fault) => faults.push(fault), onFetched: () => {} },
  );
  return { verify, faults };
}

const withSecret = () => verifierOf({ secrets: [SECRET] });

function sign(claims: JWTPayload, alg = 'HS256', key: KeyObject | Uint8Array = Buffer.from(SECRET)) {
  return new SignJWT(claims).setProtectedHeader({ alg }).sign(key);
}

describe('a token is taken', () => {
  test.each([
    ['HS256', { secrets: [SECRET] }, Buffer.from(SECRET)],
    ['RS256', { publicKeyText: pem(rsa) }, rsa.privateKey],
    ['ES256', { publicKeyText: pem(p256) }, p256.privateKey],
    ['EdDSA', { publicKeyText: pem(ed25519) }, ed25519.privateKey],
    ['ES256', { publicKeyText: JSON.stringify(p256.publicKey.export({ format: 'jwk' })) }, p256.privateKey],
    ['RS256', { publicKeyText: pem(rsa).replaceAll('\n', '\\n') }, rsa.privateKey],
  ] as const)('signed with %s, by the key that is configured', async (alg, settings, key) => {
    const { verify } = verifierOf(settings);
    expect(await verify(await sign(CLAIMS, alg, key))).toMatchObject({ ok: true, identity: { sub: 'ann' } });
  });

  test('under either secret, and under a key of another kind, while one follows another', async () => {
    const next = 'the secret that is about to follow it';
    const { verify } = verifierOf({ secrets: [next, SECRET], publicKeyText: pem(rsa) + pem(p256) });
    for (const token of [
      await sign(CLAIMS),
      await sign(CLAIMS, 'HS256', Buffer.from(next)),
      await sign(CLAIMS, 'RS256', rsa.privateKey),
      await sign(CLAIMS, 'ES256', p256.privateKey),
    ])
      expect(await verify(token)).toMatchObject({ ok: true });
  });

  test('at once, where it is signed with a secret: no thread is woken for it', async () => {
    const { verify } = withSecret();
    const token = await sign(CLAIMS);
    let isLater = false;
    setImmediate(() => {
      isLater = true;
    });
    expect(await verify(token)).toMatchObject({ ok: true });
    expect(isLater).toBe(false);
  });

  test('with all that it says of its bearer', async () => {
    const { verify } = withSecret();
    const token = await sign({
      ...CLAIMS,
      name: '安娜',
      room: ['blue', 'red@main'],
      role: 'host',
      other: {},
    });
    expect(await verify(token)).toEqual({
      ok: true,
      identity: {
        sub: 'ann',
        name: '安娜',
        rooms: ['blue', 'red@main'],
        role: 'host',
        expiresAtMs: CLAIMS.exp * 1_000,
      },
    });
  });

  test('up to 30 s after its end and before its beginning: clocks differ', async () => {
    const { verify } = withSecret();
    expect(await verify(await sign({ ...CLAIMS, exp: NOW_S - 29 }))).toMatchObject({ ok: true });
    expect(await verify(await sign({ ...CLAIMS, nbf: NOW_S + 30 }))).toMatchObject({ ok: true });
  });

  test('of the issuer and for the audience that are configured', async () => {
    const { verify } = verifierOf({ secrets: [SECRET], issuer: 'https://id.example', audience: 'calls' });
    const claims = { ...CLAIMS, iss: 'https://id.example', aud: ['other', 'calls'] };
    expect(await verify(await sign(claims))).toMatchObject({ ok: true });
  });
});

describe('a token is refused as unauthorized', () => {
  test.each([
    ['expired', { exp: NOW_S - 30 }],
    ['not_yet_valid', { nbf: NOW_S + 31 }],
    ['claims', { exp: undefined }],
    ['claims', { exp: 'tomorrow' }],
    ['claims', { nbf: 'tomorrow' }],
    ['claims', { sub: undefined }],
    ['claims', { sub: '' }],
    ['claims', { sub: 7 }],
    ['claims', { sub: 's'.repeat(257) }],
    ['claims', { name: 'n'.repeat(65) }],
    ['claims', { name: null }],
    ['claims', { room: 'a{b}' }],
    ['claims', { room: ['blue', 7] }],
    ['claims', { room: {} }],
    ['claims', { role: 'admin' }],
    ['claims', { role: ['host'] }],
  ])('%s: %j', async (fault, claims) => {
    const { verify, faults } = withSecret();
    const token = await sign({ ...CLAIMS, ...claims } as JWTPayload);
    expect(await verify(token)).toMatchObject({ ok: false, code: 'unauthorized', fault });
    expect(faults).toEqual([fault]);
  });

  test('in words that name the claim and hold nothing of the token', async () => {
    const { verify } = withSecret();
    const wrong = await verify(await sign({ ...CLAIMS, name: `secret${'!'.repeat(64)}` }));
    expect(wrong).toMatchObject({ message: expect.stringContaining('"name"') });
    expect(JSON.stringify(wrong)).not.toContain('secret');
  });

  test('with a wrong, another, or no issuer and audience', async () => {
    const { verify, faults } = verifierOf({ secrets: [SECRET], issuer: 'here', audience: 'calls' });
    for (const claims of [
      { aud: 'calls' },
      { iss: 'there', aud: 'calls' },
      { iss: 'here' },
      { iss: 'here', aud: 'x' },
    ])
      expect(await verify(await sign({ ...CLAIMS, ...claims }))).toMatchObject({ code: 'unauthorized' });
    expect(faults).toEqual(['issuer', 'issuer', 'audience', 'audience']);
  });

  test('unsigned, or signed as nobody here accepts', async () => {
    const { verify, faults } = withSecret();
    const unsigned = new UnsecuredJWT(CLAIMS).encode();
    const longer = await sign(CLAIMS, 'HS512', randomBytes(64));
    const other = await sign(CLAIMS, 'RS256', rsa.privateKey);
    for (const token of [unsigned, longer, other])
      expect(await verify(token)).toMatchObject({ code: 'unauthorized' });
    expect(faults).toEqual(['algorithm', 'algorithm', 'algorithm']);
  });

  test('with the public key for a secret', async () => {
    const { verify } = verifierOf({ publicKeyText: pem(rsa) });
    for (const text of [pem(rsa), pem(rsa).trim()])
      expect(await verify(await sign(CLAIMS, 'HS256', Buffer.from(text)))).toMatchObject({
        fault: 'algorithm',
      });
    const both = verifierOf({ publicKeyText: pem(rsa), secrets: [SECRET] });
    expect(await both.verify(await sign(CLAIMS, 'HS256', Buffer.from(pem(rsa))))).toMatchObject({
      fault: 'signature',
    });
  });

  test('changed on the way', async () => {
    const { verify } = withSecret();
    const [header, , signature] = (await sign(CLAIMS)).split('.');
    const payload = Buffer.from(JSON.stringify({ ...CLAIMS, role: 'host' })).toString('base64url');
    expect(await verify(`${header}.${payload}.${signature}`)).toMatchObject({ fault: 'signature' });
  });

  test('with a signature that is cut, longer, or written otherwise', async () => {
    const { verify, faults } = withSecret();
    const token = await sign(CLAIMS);
    for (const changed of [token.slice(0, -1), `${token}A`, `${token}=`, `${token}.`, `${token}.e30`])
      expect(await verify(changed)).toMatchObject({ ok: false, code: 'unauthorized' });
    expect(faults).toEqual(['signature', 'signature', 'signature', 'malformed', 'malformed']);
  });

  test('well signed, and yet with something critical, or no claims', async () => {
    const { verify } = withSecret();
    const signed = (header: object, payload: string) =>
      new CompactSign(Buffer.from(payload))
        .setProtectedHeader({ alg: 'HS256', ...header })
        .sign(Buffer.from(SECRET));
    for (const token of [
      await signed({ crit: ['b64'], b64: true }, JSON.stringify(CLAIMS)),
      await signed({}, 'no JSON'),
      await signed({}, '[]'),
    ])
      expect(await verify(token)).toMatchObject({ ok: false, fault: 'malformed' });
  });

  test.each([
    [undefined, 'missing'],
    [null, 'missing'],
    ['', 'missing'],
    [7, 'malformed'],
    [{ toString: 1 }, 'malformed'],
    [['a.b.c'], 'malformed'],
    ['a', 'malformed'],
    ['a.b.c', 'malformed'],
    ['..', 'malformed'],
    [`${Buffer.from('{"alg":{}}').toString('base64url')}.e30.e30`, 'malformed'],
    [`${Buffer.from('{"alg":"HS256","crit":["x"],"x":1}').toString('base64url')}.e30.e30`, 'malformed'],
    [`${Buffer.from('{"alg":"HS256"}').toString('base64url')}.e30.${'A'.repeat(43)}`, 'signature'],
    ['a'.repeat(100_000), 'too_long'],
  ])('that is none: %j', async (token, fault) => {
    expect(await withSecret().verify(token)).toMatchObject({ ok: false, code: 'unauthorized', fault });
  });
});

test('whatever comes for a token is refused, and nothing throws', async () => {
  const { verify } = verifierOf({ secrets: [SECRET], publicKeyText: pem(p256) });
  const encoded = fc.oneof(fc.json(), fc.string()).map((text) => Buffer.from(text).toString('base64url'));
  const header = fc.constantFrom('HS256', 'ES256', 'none', 'RS256', '').map((alg) => JSON.stringify({ alg }));
  const jwt = fc.tuple(fc.oneof(header, encoded), encoded, encoded);
  const compact = jwt.map(([head, ...rest]) => [Buffer.from(head).toString('base64url'), ...rest].join('.'));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.anything(), fc.string(), compact), async (token) => {
      expect(await verify(token)).toMatchObject({ ok: false, code: 'unauthorized' });
    }),
  );
});

describe('JWT_PUBLIC_KEY', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 });
  test.each([
    ['nothing', 'nonsense'],
    ['a private key', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string],
    ['a private JWK', JSON.stringify(p256.privateKey.export({ format: 'jwk' }))],
    ['a secret as a JWK', JSON.stringify({ kty: 'oct', k: 'AAAA' })],
    ['an RSA key of 1024 bits', pem(weak)],
    ['a curve of another algorithm', pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }))],
    ['a good key beside a bad one', pem(rsa) + pem(weak)],
    ['a good key beside one that is cut off', pem(rsa) + pem(p256).slice(0, 90)],
    ['a good key beside one with four dashes', pem(rsa) + pem(p256).replaceAll('-----', '----')],
    ['JSON that is no key', '{"keys":[]}'],
  ])('does not take %s', (_, text) => {
    expect(parsePublicKeys(text)).toBeUndefined();
  });

  test('takes a set of keys', () => {
    const keys = [rsa, p256, ed25519].map(({ publicKey }) => publicKey.export({ format: 'jwk' }));
    expect(parsePublicKeys(JSON.stringify({ keys }))?.map(({ alg }) => alg)).toEqual([
      'RS256',
      'ES256',
      'EdDSA',
    ]);
  });

  test.each([
    [{ use: 'enc' }],
    [{ key_ops: ['encrypt', 'wrapKey'] }],
    [{ alg: 'RSA-OAEP' }],
    [{ use: 'sig', alg: 'PS256' }],
    [{ kty: 'AKP', alg: 'ML-DSA-44' }],
  ])('passes over a key of a set that is for something else: %j', (purpose) => {
    const [other, own] = [rsa, p256].map(({ publicKey }) => publicKey.export({ format: 'jwk' }));
    const set = (...keys: object[]) => parsePublicKeys(JSON.stringify({ keys }));
    expect(set({ ...other, ...purpose }, { ...own, use: 'sig', key_ops: ['verify'] })).toMatchObject([
      { alg: 'ES256' },
    ]);
    expect(set({ ...other, ...purpose })).toBeUndefined();
  });
});

describe('what a token permits', () => {
  const bearer = (members: Partial<Identity>): Identity => ({
    sub: 'ann',
    name: undefined,
    rooms: undefined,
    role: undefined,
    expiresAtMs: undefined,
    ...members,
  });
  /** In these cases a name without a home is the room in Beijing. */
  test.each([
    [undefined, 'blue', 'beijing', true],
    [['blue'], 'blue', 'beijing', true],
    [['blue'], 'blue', 'shanghai', false],
    [['blue@shanghai'], 'blue', 'shanghai', true],
    [['blue@shanghai'], 'blue', 'beijing', false],
    [['red', 'blue'], 'blue', 'beijing', true],
    [['blue'], 'blues', 'beijing', false],
    [[], 'blue', 'beijing', false],
  ])('rooms %j allow %s at %s: %s', (rooms, name, home, expected) => {
    expect(allowsRoom(bearer({ rooms }), roomId(name, home), home === 'beijing')).toBe(expected);
  });

  test.each([
    [undefined, true],
    [['blue@shanghai'], true],
    [['red'], false],
  ])('rooms %j let a join of blue ask where it is: %s', (rooms, expected) => {
    expect(allowsName(bearer({ rooms }), 'blue')).toBe(expected);
  });

  test('it begins nothing 30 s after its end, and what it began ends 30 s later', () => {
    const identity = bearer({ expiresAtMs: 100_000 });
    expect([129_999, 130_000].map((at) => isExpired(identity, at))).toEqual([false, true]);
    expect([159_999, 160_000].map((at) => isOverdue(identity, at))).toEqual([false, true]);
    expect(isOverdue(bearer({}), Number.MAX_SAFE_INTEGER)).toBe(false);
  });
});

import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type JWTPayload, SignJWT } from 'jose';

/** Who issues tokens to people, and publishes the keys to verify them with. */
export interface Issuer {
  readonly jwksUrl: string;
  /** How often its keys were asked for. */
  readonly asked: number;
  /** Signs with the current key, unless `claims` say otherwise good for an hour; `isNamed`: the token says with which key. */
  sign(claims?: JWTPayload, isNamed?: boolean): Promise<string>;
  /** That of its tokens. */
  header(): { alg: string; kid: string };
  /** From now on another key signs; the one before is published no more, unless it is kept. */
  rotate(former?: 'kept' | 'withdrawn'): void;
  /** `hang`: questions are taken and never answered; `fail`: HTTP 500. */
  behave(how: 'well' | 'hang' | 'fail'): void;
  close(): Promise<void>;
}

export async function startIssuer(): Promise<Issuer> {
  let key = newKey();
  let kept: readonly Key[] = [];
  let behaviour: 'well' | 'hang' | 'fail' = 'well';
  let asked = 0;
  const unanswered = new Set<ServerResponse>();
  const server = createServer((_, response) => {
    asked += 1;
    if (behaviour === 'hang') return void unanswered.add(response);
    response.writeHead(behaviour === 'well' ? 200 : 500, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: [...kept, key].map(({ published }) => published) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    get asked() {
      return asked;
    },
    sign: (claims = {}, isNamed = true) => sign(claims, key, isNamed),
    header: () => ({ alg: 'ES256', kid: key.kid }),
    rotate(former) {
      kept = former === 'kept' ? [...kept, key] : [];
      key = newKey();
    },
    behave(how) {
      behaviour = how;
    },
    close: () =>
      new Promise((resolve) => {
        for (const response of unanswered) response.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Key {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly published: object;
}

function newKey(): Key {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = randomUUID();
  return {
    kid,
    privateKey,
    published: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' },
  };
}

function sign(claims: JWTPayload, { kid, privateKey }: Key, isNamed: boolean): Promise<string> {
  return new SignJWT({ sub: 'ann', exp: Math.floor(Date.now() / 1_000) + 3_600, ...claims })
    .setProtectedHeader({ alg: 'ES256', ...(isNamed ? { kid } : {}) })
    .sign(privateKey);
}

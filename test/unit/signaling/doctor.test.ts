import { randomBytes } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readSettings } from '../../../services/signaling/config.ts';
import { checkConfiguration } from '../../../services/signaling/doctor/configuration.ts';
import { checkExposure, isPublic } from '../../../services/signaling/doctor/exposure.ts';
import { type Finding, fault, ok, warning } from '../../../services/signaling/doctor/finding.ts';
import { ACL_COMMANDS, NODE_COMMANDS } from '../../../services/signaling/doctor/redis-rights.ts';
import { factsOf, judgeServer } from '../../../services/signaling/doctor/redis-server.ts';
import { asLines, withoutSecrets } from '../../../services/signaling/doctor/report.ts';
import { checkSecrets, weaknessOf } from '../../../services/signaling/doctor/secrets.ts';
import { ATTRIBUTES, addressOf, parseMessage } from '../../../services/signaling/doctor/stun/message.ts';
import { parseIceUrl } from '../../../services/signaling/domain/ice-url.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SECRET = 'q8JxT0vZr5mKc2WnYh7LpB4sDfGa9eUi';

/** Of two regions, with one password, as deploy/init makes them. */
const TWO = `beijing=redis://u:${SECRET}@10.0.0.1 shanghai=redis://u:${SECRET}@10.0.0.2`;

function examine(environment: Record<string, string>): Finding[] {
  const { settings, faults } = readSettings(environment);
  return [
    ...checkConfiguration(environment, settings, faults),
    ...checkSecrets(environment, settings),
    ...checkExposure(settings),
  ];
}

function concerns(environment: Record<string, string>): string[] {
  return examine(environment)
    .filter(({ level }) => level !== 'ok')
    .map(({ level, text }) => `${level}: ${text}`);
}

test('a good production environment raises nothing', () => {
  const good = {
    NODE_ENV: 'production',
    REDIS_URL: `rediss://fenghuo:${SECRET}R@redis.internal`,
    JWT_SECRET: SECRET,
    ADMIN_TOKEN: `${SECRET}A`,
    TURN_URLS: 'turn:turn.example.org',
    TURN_SECRET: `${SECRET}T`,
    ALLOWED_ORIGINS: 'https://app.example.org',
  };
  expect(concerns(good)).toEqual([]);
});

describe('the configuration', () => {
  test.each([
    [{ PORT: 'x' }, 'fault: PORT must be a whole number'],
    [{ ALLOWED_ORIGIN: 'https://a.example' }, 'warning: ALLOWED_ORIGIN is no setting'],
    [{ turn_secret: SECRET }, 'warning: turn_secret is no setting'],
    [{ REGION_FILE: '/run/region' }, 'warning: REGION_FILE is no setting'],
    [{ REDIS_ULR: 'redis://h' }, 'warning: REDIS_ULR is no setting'],
    [{ JWT_SECRT: SECRET }, 'warning: JWT_SECRT is no setting'],
    [{ MAX_CONNECTIONS: '5' }, 'warning: MAX_CONNECTIONS is no setting'],
    [{ FENGHUO_REDIS_URL: 'redis://h' }, 'warning: FENGHUO_REDIS_URL is no setting'],
    [{ REGION: 'a', REGIO: 'b' }, 'warning: REGIO is no setting'],
    [{ JWT_SECRET: SECRET }, 'warning: JWT_SECRET is set, and AUTH=open asks for no tokens'],
    [{ TURN_SECRET: SECRET }, 'warning: TURN_SECRET is set, and no TURN_URLS'],
    [{ RESUME_WINDOW_MS: '2000' }, 'warning: RESUME_WINDOW_MS=2000 is less than it takes'],
    [{ REDIS_URLS: TWO }, 'warning: REGION=local is the name of no home'],
    [{ NODE_ENV: 'prod' }, 'warning: NODE_ENV is not the word "production"'],
  ])('%j: %s', (given, expected) => {
    expect(concerns({ AUTH: 'open', ...(given as object) })).toEqual([expect.stringContaining(expected)]);
  });

  test('other people’s variables are none of ours', () => {
    expect(
      concerns({
        ...{ AUTH: 'open', HOME: '/root', HOSTNAME: 'a', PATH: '/bin', npm_config_port: '1' },
        ...{ CELERY_REDIS_URL: 'redis://h', NODE_OPTIONS: '--x', REDIS_HOST: 'h', SSH_AUTH_SOCK: 's' },
      }),
    ).toEqual([]);
  });
});

describe('a secret', () => {
  test.each([
    [SECRET],
    ['5f1d7a3b9c0e8246f7a1b3d5c9e80426'],
    ['3f2504e0-4f89-41d3-9a0c-0305e82c3301'],
    ['AtestZk2/8+QmVxw9TqYb3NcL7sKfD5hG0jRpE4uWiX='],
  ])('%s is taken for one', (secret) => {
    expect(weaknessOf(secret)).toBeUndefined();
  });

  test('made by chance is never called weak', () => {
    for (let count = 0; count < 2_000; count += 1) {
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        const secret = randomBytes(24).toString(encoding);
        expect([secret, weaknessOf(secret)]).toEqual([secret, undefined]);
      }
    }
  });

  test.each([
    ['north', 'is short: 5 characters'],
    ['a'.repeat(40), 'repeats itself'],
    ['abc123'.repeat(6), 'repeats itself'],
    ['changeme-please-0123', 'reads like an example'],
    ['a-secret-of-at-least-thirty-two-bytes', 'is made of words'],
    ['your-256-bit-secret-your-256', 'reads like an example'],
    ['0123456789abcdefghijklmnopqrstuv', 'is a row of neighbours'],
    ['1212343412123434565612', 'is made of very few'],
  ])('%s is not: it %s', (secret, why) => {
    expect(weaknessOf(secret)).toContain(why);
  });

  test('is a fault in production and a warning elsewhere, by its name alone', () => {
    const weak = { JWT_SECRET: `${'a'.repeat(40)} ${SECRET}`, ALLOWED_ORIGINS: 'https://a.example' };
    for (const [level, NODE_ENV] of [
      ['fault', 'production'],
      ['warning', 'test'],
    ] as const) {
      const [found, ...others] = examine({ ...weak, NODE_ENV }).filter(({ check }) => check === 'secrets');
      expect(found).toMatchObject({
        level,
        text: 'JWT_SECRET (number 1) repeats itself',
        cure: expect.stringContaining('openssl rand'),
      });
      expect(others).toEqual([]);
    }
  });

  test('that serves two purposes is named with both', () => {
    expect(concerns({ JWT_SECRET: SECRET, ADMIN_TOKEN: SECRET })).toEqual([
      expect.stringMatching(/JWT_SECRET and ADMIN_TOKEN are the same/),
    ]);
  });

  test('is taken out of whatever servers and libraries say', () => {
    for (const redis of [{ REDIS_URL: `redis://u:${SECRET}@h` }, { REDIS_URLS: TWO }]) {
      const [clean] = withoutSecrets([fault('a', `user u:${SECRET} and ${SECRET}A`, `try ${SECRET}B`)], {
        ...redis,
        TURN_SECRET: `${SECRET}A ${SECRET}B`,
      });
      expect(JSON.stringify(clean)).not.toContain(SECRET);
    }
  });
});

test.each([
  [{ ALLOWED_ORIGINS: 'http://app.example' }, 'serve it by TLS'],
  [{ ALLOWED_ORIGINS: '*' }, 'ALLOWED_ORIGINS=https://'],
  [{ ALLOWED_HOSTS: 'calls.example *' }, 'ALLOWED_HOSTS=calls.example.org'],
  [{ OPS_HOST: '0.0.0.0' }, 'OPS_HOST=127.0.0.1'],
  [{ REDIS_URL: 'redis://10.0.0.7' }, 'ACL SETUSER'],
  [{ REDIS_URL: `redis://:${SECRET}R@203.0.113.7` }, 'rediss://'],
  [
    { REDIS_URL: '', REGION: 'a', REDIS_URLS: `a=redis://localhost b=redis://:${SECRET}R@203.0.113.7` },
    'rediss://',
  ],
  [{ REDIS_URL: '', REGION: 'a', REDIS_URLS: 'a=redis://localhost b=redis://10.0.0.7' }, 'ACL SETUSER'],
  [{ DRAIN_MS: '0' }, 'DRAIN_MS=25000'],
  [{ TURN_URLS: '' }, 'TURN_URLS=turn:'],
  [{ WEBHOOK_URL: 'http://hooks.example', WEBHOOK_SECRET: `${SECRET}W` }, 'WEBHOOK_URL=https://'],
])('in production %j is warned of, with a cure: %s', (given, cure) => {
  const good = {
    NODE_ENV: 'production',
    JWT_SECRET: SECRET,
    ALLOWED_ORIGINS: 'https://app.example',
    REDIS_URL: 'redis://localhost',
  };
  const turn = { TURN_URLS: 'turn:a', TURN_SECRET: `${SECRET}T` };
  const found = examine({ ...good, ...turn, ...(given as object) }).filter(
    ({ level, text }) => level !== 'ok' && !text.startsWith('TURN_SECRET is set'),
  );
  expect(found).toEqual([expect.objectContaining({ level: 'warning', cure: expect.stringContaining(cure) })]);
});

describe('a Redis', () => {
  const GOOD = {
    redis_version: '7.2.11',
    redis_mode: 'standalone',
    role: 'master',
    connected_slaves: '1',
    min_slaves_good_slaves: '1',
    maxmemory_policy: 'noeviction',
    maxmemory: '0',
    used_memory: '1000000',
    aof_enabled: '1',
    aof_last_write_status: 'ok',
    rdb_last_bgsave_status: 'ok',
    maxclients: '10000',
    connected_clients: '9',
  };
  const judge = (change: object, kind: 'standalone' | 'sentinel' | 'cluster' = 'standalone') => {
    const lines = Object.entries({ ...GOOD, ...change }).map(([name, value]) => `${name}:${value}`);
    return judgeServer(factsOf(`# Server\r\n${lines.join('\r\n')}\r\n`), kind).filter(
      ({ level }) => level !== 'ok',
    );
  };

  test('with replicas that it waits for, an append-only file and noeviction is good', () => {
    expect(judge({})).toEqual([]);
    expect(judge({ redis_mode: 'cluster' }, 'cluster')).toEqual([]);
    expect(judge({ redis_version: '7.2.4', valkey_version: '8.0.6' })).toEqual([]);
  });

  test.each([
    [{ redis_version: '6.2.7' }, 'standalone', 'fault', 'no sharded pub/sub'],
    [{ redis_mode: 'cluster' }, 'standalone', 'fault', 'part of a Cluster'],
    [{ redis_mode: 'sentinel' }, 'standalone', 'fault', 'names a sentinel'],
    [{ role: 'slave', master_host: '10.0.0.1' }, 'standalone', 'fault', 'replica of 10.0.0.1'],
    [{ min_slaves_good_slaves: '0' }, 'sentinel', 'fault', 'every write is refused'],
    [{ min_slaves_good_slaves: undefined }, 'sentinel', 'warning', 'min-replicas-to-write is 0'],
    [{ connected_slaves: '0' }, 'sentinel', 'warning', 'nobody takes over'],
    [{ maxmemory_policy: 'allkeys-lru' }, 'standalone', 'fault', 'allkeys-lru'],
    [{ maxmemory: '1100000' }, 'standalone', 'warning', 'when it is full'],
    [{ aof_enabled: '0' }, 'standalone', 'warning', 'no append-only file'],
    [{ aof_last_write_status: 'err' }, 'standalone', 'fault', 'every write is refused'],
    [{ rdb_last_bgsave_status: 'err' }, 'standalone', 'warning', 'snapshot failed'],
    [{ connected_clients: '9998' }, 'standalone', 'fault', '2 of 10000 connections left'],
  ] as const)('with %j and %s is a %s', (change, kind, level, text) => {
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    const without = 'min_slaves_good_slaves' in change && change.min_slaves_good_slaves === undefined;
    const found = without
      ? judgeServer(
          factsOf('role:master\r\nconnected_slaves:1\r\nredis_version:7.2.11\r\naof_enabled:1'),
          kind,
        )
      : judge(given, kind);
    expect(found.filter((each) => each.level !== 'ok')).toEqual([
      expect.objectContaining({ level, text: expect.stringContaining(text), cure: expect.any(String) }),
    ]);
  });
});

describe('a Redis whose scripts may run any program (CVE-2025-49844)', () => {
  const judge = (info: Record<string, string>) =>
    judgeServer(
      factsOf(
        Object.entries({ aof_enabled: '1', ...info })
          .map((pair) => pair.join(':'))
          .join('\r\n'),
      ),
      'standalone',
    ).filter(({ check }) => check === 'redis security');

  test.each(['7.0.0', '7.0.15', '7.2.10', '7.3.99', '7.4.0', '7.4.5', '8.0.3', '8.1.9', '8.2.1'])(
    'Redis %s is warned of, with what to do',
    (version) => {
      expect(judge({ redis_version: version })).toEqual([
        expect.objectContaining({
          level: 'warning',
          text: expect.stringContaining(`Redis ${version} has CVE-2025-49844`),
          cure: expect.stringMatching(/7\.2\.11, 7\.4\.6, 8\.0\.4.*apt-get changelog/),
        }),
      ]);
    },
  );

  test.each(['7.2.11', '7.2.16', '7.4.6', '8.0.4', '8.0.10', '8.2.2', '8.4.0', '8.10.1', '9.0.0', '10.0.0'])(
    'Redis %s is not',
    (version) => {
      expect(judge({ redis_version: version })).toEqual([]);
    },
  );

  // Valkey names the Redis that it is compatible with as well: 7.2.4, whatever its own version.
  test.each([
    ['7.2.10', true],
    ['7.2.11', false],
    ['8.0.5', true],
    ['8.0.6', false],
    ['8.1.3', true],
    ['8.1.4', false],
    ['9.0.0', false],
    ['9.1.1', false],
  ])('of Valkey %s its own version counts: %s', (version, isWarned) => {
    const found = judge({ redis_version: '7.2.4', valkey_version: version });
    expect(found.map(({ text }) => text)).toEqual(
      isWarned ? [expect.stringContaining(`Valkey ${version} has`)] : [],
    );
  });

  test('where it is too old for nodes at all, only that is said', () => {
    expect(judge({ redis_version: '6.2.7' })).toEqual([]);
  });
});

describe('the rights that are tried', () => {
  const known = new Set(ACL_COMMANDS);
  const sources = (pattern: string) =>
    globSync(`services/signaling/backplane/redis/${pattern}`, { cwd: ROOT }).map((file) =>
      readFileSync(`${ROOT}${file}`, 'utf8'),
    );

  const inScripts = sources('*.lua').flatMap((text) =>
    [...text.matchAll(/redis\.p?call\('(\w+)'/g)].map(([, name = '']) => name.toLowerCase()),
  );
  const clients =
    /\b(?:client|publisher|subscriber|commands|master|adapterPublisher|adapterSubscriber)\.([a-z]+)(?:Buffer)?\(/g;
  const sent = sources('*.ts').flatMap((text) => [...text.matchAll(clients)].map(([, name = '']) => name));

  test('are all that scripts use', () => {
    expect(inScripts.length).toBeGreaterThan(50);
    expect(inScripts.filter((name) => !known.has(name))).toEqual([]);
  });

  test('are all that nodes send', () => {
    const ours = new Set(['on', 'once', 'off', 'call', 'disconnect', 'nodes']);
    expect(sent).toEqual(expect.arrayContaining(['xadd', 'ssubscribe', 'srandmember']));
    expect(sent.filter((name) => !known.has(name) && !ours.has(name))).toEqual([]);
  });

  /** Of the script that rate-limiter-flexible runs, those that no other one does. */
  const BY_RATE_LIMITER = ['expire', 'incrby'];

  test('are none that nobody uses, but what the client sends of itself', () => {
    const used = new Set([...inScripts, ...sent, ...BY_RATE_LIMITER]);
    expect([...known].filter((name) => !used.has(name))).toEqual(['cluster|slots', 'eval', 'evalsha']);
  });

  test('are those of the users that ship', () => {
    const [line = ''] =
      /^user fenghuo .*$/m.exec(readFileSync(`${ROOT}deploy/redis/users.acl`, 'utf8')) ?? [];
    expect(line).toMatch(/ ~fenghuo:\* .*&fenghuo:\* -@all /);
    const granted = new Set(line.split(' ').map((word) => word.replace(/^\+/, '')));
    expect([...known].filter((name) => !granted.has(name))).toEqual([]);
  });

  test('change nothing but one string that expires', () => {
    const onKeys = Object.entries(NODE_COMMANDS)
      .filter(([, args]) => args[0] === 'K')
      .map(([name]) => name);
    const onStrings = ['get', 'exists', 'pttl', 'expire', 'incrby', 'pexpire'];
    for (const name of onKeys.filter((each) => !onStrings.includes(each))) expect(name).toMatch(/^[hszx]/);
  });

  test('stand in the document of operations, as one line to paste', () => {
    const [line = ''] =
      /^(redis-cli )?ACL SETUSER fenghuo .*$/m.exec(readFileSync(`${ROOT}docs/operations.md`, 'utf8')) ?? [];
    const told = [...line.matchAll(/ '?\+([a-z|]+)/g)].map(([, name = '']) => name);
    expect(told.sort()).toEqual([...known].sort());
  });
});

describe('STUN', () => {
  test.each([
    ['turn:a.example', { host: 'a.example', port: 3478, transport: 'udp' }],
    ['turn:a.example?transport=tcp', { host: 'a.example', port: 3478, transport: 'tcp' }],
    ['turns:a.example:443?transport=tcp', { host: 'a.example', port: 443, transport: 'tls' }],
    ['stuns:[::1]', { host: '::1', port: 5349, transport: 'tls' }],
    ['turns:a?transport=udp', { host: 'a', port: 5349, transport: 'dtls' }],
    ['turn://a.example', undefined],
    ['turn:', undefined],
    ['turn:a:b', undefined],
  ])('reads %s', (url, expected) => {
    expect(parseIceUrl(url)).toEqual(expected && expect.objectContaining(expected));
  });

  // RFC 5769, 2.2 and 2.3: what a server answers, to the byte.
  const RESPONSE_IPV4 =
    '0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96';
  const RESPONSE_IPV6 =
    '010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c';
  test.each([
    [RESPONSE_IPV4, '192.0.2.1'],
    [RESPONSE_IPV6, '2001:0db8:1234:5678:0011:2233:4455:6677'],
  ])('reads the example of the standard: %s', (hex, address) => {
    const message = parseMessage(Buffer.from(hex, 'hex'));
    expect(message).toMatchObject({ method: 'binding', kind: 'success' });
    if (message !== undefined) expect(addressOf(message, ATTRIBUTES.xorMappedAddress)).toBe(address);
  });

  test('takes no cut or foreign bytes for a message', () => {
    const whole = Buffer.from(RESPONSE_IPV4, 'hex');
    for (let length = 0; length < whole.length; length += 1)
      expect(parseMessage(whole.subarray(0, length))).toBeUndefined();
    const lying = Buffer.from(whole);
    lying.writeUInt16BE(60_000, 22);
    expect(parseMessage(lying)).toBeUndefined();
    expect(parseMessage(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))).toBeUndefined();
  });
});

test.each(['10.1.2.3', '172.20.0.1', '192.168.1.1', '127.0.0.1', '100.64.0.1', 'fd00::1', 'redis.internal'])(
  '%s is not known to be public',
  (address) => {
    expect(isPublic(address)).toBe(false);
  },
);

test('lines are aligned, with the cure under its cause', () => {
  expect(
    asLines([
      ok('redis', 'Redis 7'),
      warning('turn', 'full', 'total-quota=0'),
      fault('jwks', 'gone', 'curl'),
    ]),
  ).toBe(
    [
      'ok       redis  Redis 7',
      'warning  turn   full',
      '                → total-quota=0',
      'fault    jwks   gone',
      '                → curl',
      '',
      '1 fault, 1 warning, 1 ok',
      '',
    ].join('\n'),
  );
});

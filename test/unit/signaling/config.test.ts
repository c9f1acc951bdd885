import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseRedisUrl } from '../../../services/signaling/backplane/redis/redis-url.ts';
import { type ConfigError, parseConfig } from '../../../services/signaling/config.ts';
import { isOriginAllowed } from '../../../services/signaling/domain/origin.ts';

const SECRET = 'a-secret-of-at-least-thirty-two-bytes';

function faults(environment: Record<string, string>): readonly string[] {
  try {
    parseConfig(environment);
  } catch (error) {
    return (error as ConfigError).faults;
  }
  return [];
}

test('an empty variable counts as absent', () => {
  expect(parseConfig({ AUTH: 'open', PORT: '', REDIS_URL: '' })).toMatchObject({
    clients: { port: 3001 },
    homes: [],
  });
});

test('blanks and line feeds around a value are no part of it', () => {
  const environment = { WEBHOOK_URL: 'https://hooks.example ', WEBHOOK_SECRET: `${'w'.repeat(32)}\n` };
  const key = Buffer.from('w'.repeat(32));
  expect(parseConfig({ AUTH: 'open', ...environment }).webhooks).toEqual({
    url: 'https://hooks.example',
    key,
  });
  expect(faults({ AUTH: 'open', JWT_ISSUER: ' ' })).toEqual(['JWT_ISSUER must not be blank']);
});

test('every fault is named at once, and no value is printed', () => {
  const environment = {
    AUTH: 'secret-a',
    PORT: '70000',
    STUN_URLS: 'http://secret-b',
    ALLOWED_ORIGINS: 'secret-c',
    REDIS_URL: 'redis://u:secret@secret-e/?secret-f=1',
    LOG_LEVEL: 'secret-d',
  };
  expect(
    faults(environment)
      .map((fault) => fault.split(' ')[0])
      .sort(),
  ).toEqual(Object.keys(environment).sort());
  expect(faults(environment).join()).not.toContain('secret');
});

test('what is wrong, missing and contradictory is named together, each as what it is', () => {
  const environment = {
    NODE_ENV: 'production',
    AUTH: 'open',
    PORT: 'http',
    DRAIN_MS: '-1',
    ROOM_PEERS_MAX: '5000',
    TURN_URLS: 'turn:turn.example',
    WEBHOOK_URL: 'https://hook.example',
    JWT_SECRET_FILE: '/nowhere',
  };
  expect(faults(environment)).toEqual([
    'JWT_SECRET_FILE names a file that cannot be read',
    'PORT must be a whole number from 0 to 65535',
    'ROOM_PEERS_MAX must be a whole number from 1 to 1000',
    'DRAIN_MS must be a whole number from 0 to 604800000',
    'WEBHOOK_SECRET is not set, and WEBHOOK_URL is',
    'TURN_SECRET is not set, and TURN_URLS is',
    'AUTH must not be "open" with NODE_ENV=production',
    'ALLOWED_ORIGINS is not set, which NODE_ENV=production asks for',
    'REDIS_URL is not set, which NODE_ENV=production asks for; for one process that takes all rooms with it when it ends, BACKPLANE=memory',
  ]);
});

test('a setting that cannot be used is not called missing, too', () => {
  const given = { TURN_URLS: 'turn:a', WEBHOOK_URL: 'https://hooks.example' };
  const files = {
    TURN_SECRET_FILE: '/nowhere/a',
    WEBHOOK_SECRET_FILE: '/nowhere/b',
    JWT_SECRET_FILE: '/nowhere/c',
  };
  expect(faults({ ...given, ...files }).map((fault) => fault.split(' ')[0])).toEqual([
    'JWT_SECRET_FILE',
    'TURN_SECRET_FILE',
    'WEBHOOK_SECRET_FILE',
  ]);
  expect(faults({ JWKS_URL: 'nowhere' })).toEqual([expect.stringMatching(/^JWKS_URL must be/)]);
});

test.each([
  ['PORT', ' '],
  ['PORT', '0x10'],
  ['CONNECTIONS_MAX', '1e4'],
  ['RESUME_WINDOW_MS', '99999999999'],
  ['HOST', 'two words'],
  ['LOG_LEVEL', 'loud'],
  ['PUBLIC_URL', 'calls.example'],
  ['PUBLIC_URL', 'wss://calls.example'],
  ['PUBLIC_URL', 'https://calls.example/beijing'],
  ['PUBLIC_URL', 'https://wei:secret@calls.example'],
  ['PUBLIC_URL', 'https://calls.example/#beijing'],
  ['PUBLIC_URL', `https://calls.example/?region=${'b'.repeat(256)}`],
])('%s refuses %j in words', (name, value) => {
  expect(faults({ AUTH: 'open', [name]: value })).toEqual([
    expect.stringMatching(RegExp(`^${name} must be `)),
  ]);
});

test.each(['https://bj.calls.example', 'http://127.0.0.1:8080/?region=beijing'])(
  'PUBLIC_URL may be %s',
  (PUBLIC_URL) => {
    expect(parseConfig({ AUTH: 'open', PUBLIC_URL }).publicUrl).toBe(PUBLIC_URL);
  },
);

test.each([
  ['0.0.0.0', '127.0.0.1', 1],
  ['10.0.0.1', '10.0.0.1', 1],
  ['10.0.0.1', '127.0.0.1', 0],
])('with HOST=%s and OPS_HOST=%s one port for both is a fault %i times', (HOST, OPS_HOST, count) => {
  const given = { AUTH: 'open', HOST, OPS_HOST, PORT: '4000', OPS_PORT: '4000' };
  expect(faults(given)).toHaveLength(count);
});

describe('AUTH', () => {
  test('is required where nothing is said, and then a key is', () => {
    expect(faults({})).toEqual([expect.stringMatching(/^AUTH=required.*JWT_SECRET.*AUTH=open/)]);
    expect(faults({ AUTH: 'required' })).toHaveLength(1);
    expect(parseConfig({ JWT_SECRET: SECRET }).tokens).toMatchObject({ secrets: [SECRET] });
    expect(parseConfig({ JWKS_URL: 'https://id.example/jwks' }).tokens).toMatchObject({
      jwksUrl: 'https://id.example/jwks',
    });
  });

  test('open needs no key, and does without one that is there', () => {
    expect(parseConfig({ AUTH: 'open', JWT_SECRET: SECRET }).tokens).toBeUndefined();
  });
});

describe('JWT_SECRET', () => {
  test('may be two, while one follows the other', () => {
    expect(parseConfig({ JWT_SECRET: `${SECRET} ${SECRET}2` }).tokens?.secrets).toEqual([
      SECRET,
      `${SECRET}2`,
    ]);
  });

  test.each(['short', ' ', `${SECRET} short`])('refuses %j, and does not print it', (secret) => {
    expect(faults({ JWT_SECRET: secret })).toEqual([
      expect.stringMatching(/^JWT_SECRET must be at least 32 bytes/),
    ]);
  });

  test('may lie in a file, which ends with a line feed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'fenghuo-'));
    const path = join(folder, 'secret');
    writeFileSync(path, `${SECRET}\n`);
    expect(parseConfig({ JWT_SECRET_FILE: path }).tokens?.secrets).toEqual([SECRET]);
    expect(faults({ JWT_SECRET_FILE: path, JWT_SECRET: SECRET })).toEqual([
      'JWT_SECRET_FILE and JWT_SECRET are both set: give one of them',
    ]);
    rmSync(folder, { recursive: true });
    expect(faults({ AUTH: 'open', JWT_SECRET_FILE: path })).toEqual([
      'JWT_SECRET_FILE names a file that cannot be read',
    ]);
  });
});

test.each([
  ['JWT_PUBLIC_KEY', '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----'],
  ['JWKS_URL', 'file:///etc/passwd'],
  ['JWKS_URL', 'https://a b'],
  ['JWKS_URL', 'https://user:hidden@id.example/jwks'],
  ['TURN_URLS', 'stun:turn.example.org'],
  ['TURN_TTL_S', '59'],
])('%s refuses %j, and does not print it', (name, value) => {
  const [fault, ...others] = faults({ AUTH: 'open', TURN_SECRET: 'north', [name]: value });
  expect(fault).toMatch(RegExp(`^${name} `));
  expect(others).toEqual([]);
  expect(fault).not.toContain(value);
});

describe('TURN_SECRET', () => {
  test('signs with its first, and is wanted where TURN_URLS are', () => {
    const settings = { AUTH: 'open', TURN_URLS: 'turn:a,turns:b' };
    expect(parseConfig({ ...settings, TURN_SECRET: 'north south' }).ice).toMatchObject({
      turnUrls: ['turn:a', 'turns:b'],
      turnSecret: 'north',
    });
    expect(faults(settings)).toEqual(['TURN_SECRET is not set, and TURN_URLS is']);
    expect(faults({ ...settings, TURN_SECRET: ' ' })).toEqual(['TURN_SECRET must not be blank']);
  });
});

describe('WEBHOOK_URL', () => {
  const [url, secret] = ['https://hooks.example/fenghuo', 'w'.repeat(32)];
  const withHooks = (settings: object) => ({ AUTH: 'open', ...settings });

  test('goes with a secret that signs, and neither without the other', () => {
    expect(parseConfig(withHooks({})).webhooks).toBeUndefined();
    const both = withHooks({ WEBHOOK_URL: url, WEBHOOK_SECRET: secret });
    expect(parseConfig(both).webhooks).toEqual({ url, key: Buffer.from(secret) });
    expect(faults(withHooks({ WEBHOOK_URL: url }))).toEqual([
      'WEBHOOK_SECRET is not set, and WEBHOOK_URL is',
    ]);
    expect(faults(withHooks({ WEBHOOK_SECRET: secret }))).toEqual([
      'WEBHOOK_URL is not set, and WEBHOOK_SECRET is',
    ]);
  });

  test.each([
    ['WEBHOOK_URL', 'ftp://hooks.example'],
    ['WEBHOOK_URL', 'https://a b'],
    ['WEBHOOK_URL', 'https://wei:hidden@hooks.example'],
    ['WEBHOOK_SECRET', `whsec_${'!'.repeat(40)}`],
    ['WEBHOOK_SECRET', `whsec_${'A'.repeat(31)}`],
    ['WEBHOOK_SECRET', 'x'.repeat(31)],
  ])('and its secret: %s refuses %j, and does not print it', (name, value) => {
    const [fault] = faults(withHooks({ WEBHOOK_URL: url, WEBHOOK_SECRET: secret, [name]: value }));
    expect(fault).toMatch(RegExp(`^${name} `));
    expect(fault).not.toContain(value);
  });
});

describe('ALLOWED_HOSTS', () => {
  const hosts = (text: string) => parseConfig({ AUTH: 'open', ALLOWED_HOSTS: text }).allowedHosts;

  test('is a list of names and addresses, or *', () => {
    expect(parseConfig({ AUTH: 'open' }).allowedHosts).toEqual([]);
    expect(hosts('calls.example, beijing_1 ::1 [::1]')).toEqual([
      'calls.example',
      'beijing_1',
      '::1',
      '[::1]',
    ]);
    expect(hosts('*')).toEqual(['*']);
  });

  test.each([
    'https://calls.example',
    'calls.example:443',
    '[::1]:443',
    '*.example',
    'a@b',
    'a/b',
    '127.0.0.256',
  ])('refuses %j, and does not print it', (text) => {
    const [fault] = faults({ AUTH: 'open', ALLOWED_HOSTS: text });
    expect(fault).toBe(
      'ALLOWED_HOSTS must hold host names or addresses without a port, like calls.example.org, or *',
    );
  });
});

describe('NODE_ENV=production', () => {
  const good = {
    ...{ NODE_ENV: 'production', JWT_SECRET: SECRET, ALLOWED_ORIGINS: 'https://app.example' },
    REDIS_URL: 'redis://h',
  };
  test.each([
    [{}, []],
    [{ REDIS_URL: '' }, ['REDIS_URL']],
    [{ REDIS_URL: '', BACKPLANE: 'memory' }, []],
    [{ BACKPLANE: 'memory' }, ['BACKPLANE=memory']],
    [{ REDIS_URL: '', REDIS_URLS: 'main=redis://h' }, []],
    [{ AUTH: 'open' }, ['AUTH']],
    [{ ALLOWED_ORIGINS: '' }, ['ALLOWED_ORIGINS']],
    [{ ALLOWED_ORIGINS: ',' }, ['ALLOWED_ORIGINS']],
    [{ TURN_SECRET: 'north' }, ['TURN_SECRET']],
    [{ JWT_SECRET: 'short' }, ['JWT_SECRET']],
    [{ AUTH: 'open', ALLOWED_ORIGINS: '', TURN_SECRET: 'a' }, ['AUTH', 'ALLOWED_ORIGINS', 'TURN_SECRET']],
  ])('with %j names %j', (settings, expected) => {
    const named = faults({ ...good, ...settings }).map((fault) => fault.split(' ')[0]);
    expect(named).toEqual(expected);
  });
});

test('D8: a node id of exactly 20 characters is made longer', () => {
  expect(parseConfig({ AUTH: 'open', NODE_ID: 'a'.repeat(20) }).nodeId).toBe(`${'a'.repeat(20)}-`);
});

/** Accepted and refused forms of each setting that somebody writes by hand, with the words of the refusal. */
describe('a setting that cannot work does not pass', () => {
  const besides: Record<string, Record<string, string>> = {
    TURN_URLS: { TURN_SECRET: 'north' },
    WEBHOOK_URL: { WEBHOOK_SECRET: 'w'.repeat(32) },
    WEBHOOK_SECRET: { WEBHOOK_URL: 'https://hooks.example' },
  };
  const given = (name: string, value: string) => ({ AUTH: 'open', ...besides[name], [name]: value });

  test.each([
    [
      'REDIS_URL',
      'redis://h redis://h/2 redis://h/%33 redis://h/?db=3 redis://h?family=6 redis://[::1]:7000 redis://h/',
    ],
    [
      'REDIS_URL',
      'rediss://u:p%2F@h:1 redis+sentinel://h1,h2 redis+sentinel://h1/my%20master/3 redis+sentinel://h/m?db=3',
    ],
    ['REDIS_URL', 'rediss+cluster://h1:1,h2:2 redis+cluster://h/0'],
    ['STUN_URLS', 'stun:h stuns:h:443 stun:192.0.2.1 stun:[2001:db8::1]:3478 STUN:h'],
    ['TURN_URLS', 'turn:h turn:h?transport=UDP turns:h:443?transport=tcp turn:h?transport=udp turn:[::1]'],
    ['ALLOWED_ORIGINS', 'https://a.example https://*.a.example capacitor://localhost tauri://localhost'],
    [
      'ALLOWED_ORIGINS',
      'chrome-extension://abcdefghijklmnop http://localhost:5173 file:// http://[::1]:80 *',
    ],
    ['WEBHOOK_SECRET', `whsec_${'A'.repeat(32)} ${'w'.repeat(32)}`],
    ['WEBHOOK_URL', 'https://hooks.example/a?b=c http://10.0.0.1:8080'],
    ['PUBLIC_URL', 'https://calls.example https://[2001:db8::1]:8443'],
    ['ADMIN_TOKEN', '!'.repeat(32)],
    ['BACKPLANE', 'memory'],
    ['RESUME_WINDOW_MS', '1000'],
    ['MESSAGE_BYTES_MAX', '16384'],
  ])('%s takes %s', (name, values) => {
    for (const value of values.split(' ')) expect([value, faults(given(name, value))]).toEqual([value, []]);
  });

  test.each([
    [
      'REDIS_URL',
      'must be redis://',
      'h:6379 http://h redis+other://h redis:// redis://h1,h2 redis://h:seven redis://h:0',
    ],
    [
      'REDIS_URL',
      'must be redis://',
      'redis://:%hidden@h redis://u:pa/ss@h redis://u:pa?ss@h redis://h#1 redis://h:99999',
    ],
    [
      'REDIS_URL',
      'must end with the number of a database',
      'redis://h/-1 redis://h/1/2 redis://h/mymaster redis://h/1.5',
    ],
    ['REDIS_URL', 'must end with the name of the master', 'redis+sentinel://h/m/x redis+sentinel://h/m/1/2'],
    [
      'REDIS_URL',
      'must end with the hosts',
      'redis+cluster://h/1 redis+cluster://h/a redis+cluster://h?db=2',
    ],
    [
      'REDIS_URL',
      'knows two options',
      'redis://h?tls=true redis://h?db=one redis://h?family=5 redis://h?db=1&db=2',
    ],
    ['REDIS_URL', 'must name one database', 'redis://h/1?db=2 redis+sentinel://h/m/1?db=1'],
    ['REDIS_URLS', 'holds a URL that must end with the number', 'a=redis://h/x'],
    ['REDIS_URLS', 'must be one or several', 'redis://h a=redis://h,a=redis://h a=h'],
    [
      'STUN_URLS',
      'must hold URLs like stun:',
      'stun:h:3478?transport=udp stun://h stun:h:99999 stun:h:0 turn:h stun:$STUN_HOST stun:',
    ],
    [
      'TURN_URLS',
      'must hold URLs like turn:',
      'turn:h?transport=sctp turn:user@h turn://h stun:h turn:h:port turn:h?x=1',
    ],
    [
      'ALLOWED_ORIGINS',
      'must hold origins',
      'a.example https://a.example/path https://*a.example https://a.*.example https://* http://u@h null',
    ],
    [
      'ALLOWED_ORIGINS',
      'must hold origins',
      'https://*.192.0.2.1 *.a.example https://a.example:99999 https://a.example?x capacitor://',
    ],
    ['WEBHOOK_URL', 'must be an http', 'ftp://h https://u:p@h hooks.example'],
    ['WEBHOOK_SECRET', 'must hold, after whsec_', `whsec_${'!'.repeat(40)} whsec_${'A'.repeat(31)}`],
    ['PUBLIC_URL', 'must be an http', 'https://* wss://h https://h/path https://u@h https://h#a'],
    ['ADMIN_TOKEN', 'must not hold', 'é'.repeat(40)],
    ['BACKPLANE', 'may only be "memory"', 'redis none true'],
    ['RESUME_WINDOW_MS', 'must be a whole number from 1000', '30 999'],
    ['MESSAGE_BYTES_MAX', 'must be a whole number from 16384', '64 8192'],
    ['NODE_ENV', 'must be written without quotes', '"production"'],
    ['JWT_AUDIENCE', 'must be written without quotes', '\'calls\' "calls"'],
    [
      'REDIS_URL',
      'must hold a password with its user',
      'redis://hunter2@h redis://u:@h redis+cluster://:p@h1,:p@h2',
    ],
    ['TURN_URLS', 'must hold URLs like turn:', 'turn:h?TRANSPORT=tcp turn:h?Transport=udp'],
    ['ALLOWED_ORIGINS', 'must hold origins', 'wss://a.example'],
    ['ALLOWED_ORIGINS', 'must hold at least one origin', ','],
    ['PUBLIC_URL', 'must be an http', 'https://a.example\\\\ https:\\\\a.example'],
    ['ALLOWED_HOSTS', 'must hold host names', '.example.org'],
    ['TRUST_PROXY', 'must be "true" or "false"', 'yes 1 TRUE'],
    ['REGION', 'must be 1 to 64', 'a/b é'],
  ])('%s %s: refuses %s', (name, words, values) => {
    for (const value of values.split(' ')) {
      const [fault, ...others] = faults(given(name, value));
      expect([value, fault]).toEqual([value, expect.stringContaining(`${name} ${words}`)]);
      expect([value, others]).toEqual([value, []]);
    }
  });
});

describe('REDIS_URL', () => {
  test.each([
    ['redis://h', { kind: 'standalone', database: 0, hosts: [{ host: 'h', port: 6379 }] }],
    ['redis://u:p%2F%40@h/%33', { database: 3, credentials: { username: 'u', password: 'p/@' } }],
    ['redis://h?db=4&family=6', { database: 4, family: 6 }],
    ['redis+sentinel://h', { kind: 'sentinel', master: 'mymaster', hosts: [{ host: 'h', port: 26379 }] }],
    [
      'redis+sentinel://a,[::1]:5/my%20own/3',
      { master: 'my own', database: 3, hosts: [{ host: 'a' }, { host: '::1', port: 5 }] },
    ],
    ['rediss+cluster://h1:1,h2', { kind: 'cluster', isTls: true, database: 0 }],
  ])('%s is read as what it says', (url, address) => {
    expect(parseRedisUrl(url)).toMatchObject(address);
  });
});

describe('ALLOWED_ORIGINS', () => {
  test.each([
    ['https://App.Example.ORG', 'https://app.example.org'],
    ['https://app.example.org:443/', 'https://app.example.org'],
    ['http://app.example.org:80', 'http://app.example.org'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['Tauri://LocalHost', 'tauri://localhost'],
    ['https://*.Example.org:443', 'https://*.example.org'],
  ])('%s is what a client sends: %s', (text, origin) => {
    expect(parseConfig({ AUTH: 'open', ALLOWED_ORIGINS: text }).allowedOrigins).toEqual([origin]);
  });

  test.each([
    ['https://a.example.org', true],
    ['https://a.b.example.org', true],
    ['https://example.org', false],
    ['https://evilexample.org', false],
    ['http://a.example.org', false],
    ['https://a.example.org:8443', false],
    ['https://a.example.org.evil.example', false],
    ['https://evil.example/.example.org', false],
    ['https://.example.org', false],
  ])('https://*.example.org and %s: %s', (origin, isAllowed) => {
    const allowed = parseConfig({ AUTH: 'open', ALLOWED_ORIGINS: 'https://*.example.org' }).allowedOrigins;
    expect(isOriginAllowed(origin, undefined, allowed)).toBe(isAllowed);
  });
});

describe('ADMIN_TOKEN', () => {
  test('is off by default, and taken from 32 characters on', () => {
    expect(parseConfig({ AUTH: 'open' }).adminTokens).toEqual([]);
    const [one, two] = ['a'.repeat(32), 'b'.repeat(32)];
    expect(parseConfig({ AUTH: 'open', ADMIN_TOKEN: `${one} ${two}` }).adminTokens).toEqual([one, two]);
  });
  test.each(['guessable', 'a'.repeat(31), `${'a'.repeat(20)} ${'b'.repeat(20)}`])(
    'refuses %s, and does not print it',
    (token) => {
      const [fault, ...others] = faults({ AUTH: 'open', ADMIN_TOKEN: token });
      expect(fault).toMatch(/^ADMIN_TOKEN must/);
      expect(others).toEqual([]);
      expect(fault).not.toContain(token);
    },
  );
});

test('DRAIN_MS is a number of milliseconds, from 0 on', () => {
  expect(parseConfig({ AUTH: 'open' }).drainMs).toBe(25_000);
  expect(parseConfig({ AUTH: 'open', DRAIN_MS: '0' }).drainMs).toBe(0);
  for (const wrong of ['-1', '2.5', '25s'])
    expect(faults({ AUTH: 'open', DRAIN_MS: wrong })).toEqual([expect.stringMatching(/^DRAIN_MS /)]);
});

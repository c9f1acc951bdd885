import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseRedisUrl, parseRedisUrls } from '../../services/signaling/backplane/redis/redis-url.ts';
import { SETTINGS } from '../../services/signaling/config.ts';
import { IN_FILES } from '../../services/signaling/secret-files.ts';
import { ROOT } from '../support/image.ts';

/** As it stands there, with its default. */
const LISTEN_ADDRESS = ['$', '{LISTEN_ADDRESS:-127.0.0.1}'].join('');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Of a setting, by the code. */
function defaultOf(name: string): string {
  const schema = SETTINGS.shape[name as keyof typeof SETTINGS.shape];
  return String(schema?.parse(undefined) ?? '');
}

describe('docker-compose.yml', () => {
  const text = read('docker-compose.yml');
  const node = parse(text, { merge: true, maxAliasCount: -1 }).services['beijing-1'].environment as Record<
    string,
    string
  >;

  test('takes from .env what .env.example names, with the same defaults, and nothing else', () => {
    const taken = [...text.matchAll(/(?<!\$)\$\{(\w+):-([^}]*)\}/g)].map(
      ([, name, value]) => `${name}=${value}`,
    );
    const named = [...read('.env.example').matchAll(/^#?(\w+)=(.*)$/gm)].map(
      ([, name = '', value = '']) => [name, value] as const,
    );
    // What is left empty has its default from the code, and is told of with it.
    const offered = named.map(([name, value]) => {
      const isCodes = taken.includes(`${name}=`) && value !== '' && value === defaultOf(name);
      return isCodes ? `${name}=` : `${name}=${value}`;
    });
    const ours = offered.filter((line) => !line.startsWith('COMPOSE_'));
    expect([...new Set(taken)].sort()).toEqual([...new Set(ours)].sort());
  });

  test('gives nodes settings that they know, and secrets as files alone', () => {
    const known = [...Object.keys(SETTINGS.shape), ...IN_FILES.map((name) => `${name}_FILE`)];
    expect(Object.keys(node).filter((name) => !known.includes(name))).toEqual([]);
    for (const secret of ['JWT_SECRET', 'TURN_SECRET', 'ADMIN_TOKEN', 'REDIS_URLS']) {
      expect(node).not.toHaveProperty(secret);
      expect(node[`${secret}_FILE`]).toMatch(/^\/run\/secrets\//);
    }
  });

  test('publishes nothing but the clients’ and the TURN server’s ports beyond loopback', () => {
    const { services } = parse(text, { merge: true, maxAliasCount: -1 }) as {
      services: Record<string, { ports?: string[] }>;
    };
    for (const [name, { ports = [] }] of Object.entries(services)) {
      const host = ['haproxy', 'coturn'].includes(name) ? LISTEN_ADDRESS : '127.0.0.1';
      expect(
        ports.filter((port) => !port.startsWith(`${host}:`)),
        name,
      ).toEqual([]);
    }
  });
});

interface Service {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly networks?: unknown;
}

function compose(): { readonly services: Readonly<Record<string, Service>> } {
  return parse(read('docker-compose.yml'), { merge: true, maxAliasCount: -1 });
}

/** What a REDIS_URLS names. */
function homesIn(urls = '') {
  const homes = parseRedisUrls(urls) ?? [];
  return homes.map(({ home, url }) => ({ name: home, address: parseRedisUrl(url) }));
}

describe("Redis's users", () => {
  const users = read('deploy/redis/users.acl').trim().split('\n');
  const nodes = users.find((line) => line.startsWith('user fenghuo ')) ?? '';

  test('let the nodes do what their scripts call', () => {
    const scripts = globSync('services/signaling/backplane/redis/*.lua', { cwd: ROOT }).map(read).join();
    const called = new Set([...scripts.matchAll(/redis\.p?call\(\s*'([A-Z]+)'/g)].map(([, name]) => name));
    expect(called.size).toBeGreaterThan(20);
    const allowed = new Set(nodes.split(' ').filter((word) => word.startsWith('+')));
    expect([...called].filter((name) => !allowed.has(`+${name?.toLowerCase()}`))).toEqual([]);
  });

  test('let the nodes touch nothing that is not ours, and the keyspace not at all', () => {
    const words = nodes.split(' ');
    expect(words.filter((word) => /^[~&%]/.test(word))).toEqual(['~fenghuo:*', '&fenghuo:*']);
    expect(words).toContain('-@all');
    expect(
      words.filter((word) => /^\+(@|keys|scan|flush|config|debug|shutdown|script$|acl$|client$)/.test(word)),
    ).toEqual([]);
  });

  test('keep the rights of `default`, who reads the append-only file, and let nobody be it', () => {
    expect(users[0]).toBe('user default off ~* &* +@all');
  });
});

describe('deploy/init', () => {
  let dir: string;
  const init = () =>
    execFileSync('deploy/init', { cwd: ROOT, env: { ...process.env, SECRETS_DIR: dir }, stdio: 'pipe' });
  const files = () =>
    Object.fromEntries(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), 'utf8')]));
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'fenghuo-init-'));
    init();
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('makes every file that docker-compose.yml mounts, in a folder that nobody else may enter', () => {
    const mounted = [...read('docker-compose.yml').matchAll(/deploy\/secrets\}\/([\w.]+)/g)].map(
      ([, name]) => name,
    );
    expect(mounted.length).toBeGreaterThan(8);
    const made = Object.keys(files());
    expect(mounted.filter((name) => name !== 'redis_urls_' && !made.includes(name ?? ''))).toEqual([]);
    expect(made).toEqual(expect.arrayContaining(['redis_urls_single', 'redis_urls_sentinel']));
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });

  test('names a home for each region that nodes stand in, at a Redis of docker-compose.yml', () => {
    const { services } = compose();
    const regions = Object.values(services).flatMap(({ environment }) => environment?.REGION ?? []);
    const homes = homesIn(files().redis_urls_single);
    expect(homes.map(({ name }) => name)).toEqual([...new Set(regions)]);
    for (const { name, address } of homes) {
      expect(address?.hosts.map(({ host }) => host)).toEqual([`redis-${name}`]);
      expect(Object.keys(services)).toContain(`redis-${name}`);
    }
  });

  test('names the masters that the sentinels of docker-compose.yml watch, with the password for each', () => {
    const { services } = compose();
    const { command, environment } = services['sentinel-1'] ?? {};
    const written = join(dir, 'sentinel.conf');
    const script = String(command?.[2])
      .replaceAll('$$', '$')
      .replaceAll('/data/sentinel.conf', written)
      .replaceAll(' /sentinel.conf', ' deploy/redis/sentinel.conf')
      .replaceAll('/run/secrets', dir)
      .replace(/exec redis-server.*/, '');
    const addresses = Object.entries(environment ?? {}).map(([name, text]) => [
      name,
      text.replace(/\$\{STORE_NET:-([\d.]+)\}/, '$1'),
    ]);
    execFileSync('sh', ['-c', script], {
      cwd: ROOT,
      env: { ...process.env, ...Object.fromEntries(addresses) },
    });
    const lines = readFileSync(written, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('sentinel'));
    rmSync(written);
    const password = files().redis_sentinel_password?.trim();
    for (const { name, address } of homesIn(files().redis_urls_sentinel)) {
      const at = Object.fromEntries(addresses)[name.toUpperCase()];
      expect(address).toMatchObject({ kind: 'sentinel', master: name });
      expect(lines).toEqual(
        expect.arrayContaining([
          `sentinel monitor ${name} ${at} 6379 2`,
          `sentinel down-after-milliseconds ${name} 5000`,
          `sentinel auth-pass ${name} ${password}`,
        ]),
      );
      expect(services[`redis-${name}`]?.networks).toMatchObject({
        store: { ipv4_address: expect.stringMatching(RegExp(`\\.${at?.split('.')[3]}$`)) },
      });
    }
    expect(lines.join()).not.toMatch(/mymaster|@/);
  });

  test('makes secrets that a node takes in production, no two alike', () => {
    const { jwt_secret = '', turn_secret = '', admin_token = '', redis_password = '' } = files();
    const secrets = [jwt_secret, turn_secret, admin_token, redis_password].map((text) => text.trim());
    for (const secret of secrets) expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(secrets).size).toBe(4);
  });

  test('changes nothing when it runs again, and makes anew what was deleted, with what is made of it', () => {
    const before = files();
    init();
    expect(files()).toEqual(before);
    rmSync(join(dir, 'redis_password'));
    init();
    const after = files();
    const changed = Object.keys(before).filter((name) => before[name] !== after[name]);
    expect(changed.sort()).toEqual([
      'redis_password',
      'redis_urls_sentinel',
      'redis_urls_single',
      'redis_users.acl',
    ]);
    expect(after['redis_users.acl']).not.toContain('@FENGHUO@');
  });
});

import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Finding } from '../../services/signaling/doctor/finding.ts';
import { doctor } from '../../services/signaling/doctor/index.ts';
import { ACL_COMMANDS } from '../../services/signaling/doctor/redis-rights.ts';
import { capabilities } from '../support/capabilities.ts';
import { startCluster } from '../support/cluster.ts';
import { startDelayProxy } from '../support/delay-proxy.ts';
import { startIssuer } from '../support/issuer.ts';
import { connect } from '../support/plain-client.ts';
import { freePort } from '../support/ports.ts';
import { type LocalRedis, startLocalRedis } from '../support/redis.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts';
import { startTurnServer, type TurnServer } from '../support/turn-server.ts';

const MAIN = fileURLToPath(new URL('../../services/signaling/main.ts', import.meta.url));
const SECRET = 'q8JxT0vZr5mKc2WnYh7LpB4sDfGa9eUi';
const PASSWORD = 'pW9vXk3TzQ7mLs2JdRb6HcYf4NgA8eUx';

interface Report {
  readonly code: number;
  readonly text: string;
  readonly findings: readonly Finding[];
  /** Those of one check that are not ok. */
  concerns(check: string): readonly Finding[];
}

/** Any free ports, so that tests beside this one are not in the way. */
async function examine(environment: Record<string, string>): Promise<Report> {
  let text = '';
  const given = { AUTH: 'open', PORT: '0', OPS_PORT: '0', ...environment };
  const code = await doctor(['--json'], given, (part) => {
    text += part;
  });
  const { findings } = JSON.parse(text) as { findings: Finding[] };
  return {
    code,
    text,
    findings,
    concerns: (check) => findings.filter((each) => each.check === check && each.level !== 'ok'),
  };
}

/** The command as a process, with nothing of this one's environment. */
async function run(args: readonly string[], env: Record<string, string>) {
  return promisify(execFile)(process.execPath, [MAIN, ...args], { env, timeout: 20_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      stdout,
      stderr,
    }),
  );
}

describe.skipIf(!capabilities.redisServer)('with a Redis', () => {
  let redis: LocalRedis;
  let admin: Redis;
  let cluster: Promise<RedisCluster>;
  beforeAll(async () => {
    // It takes its time, which the other scenes use.
    cluster = startRedisCluster();
    cluster.catch(() => {});
    redis = await startLocalRedis({ aof: true });
    admin = new Redis(redis.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await Promise.all([redis.stop(), cluster.then((each) => each.stop())]);
  });
  const urlOf = (user: string) => `redis://${user}:${PASSWORD}@127.0.0.1:${redis.port}`;
  const allow = (user: string, ...rules: readonly string[]) =>
    admin.call('ACL', 'SETUSER', user, 'reset', 'on', `>${PASSWORD}`, ...rules);
  /** As somebody would, into a shell. */
  const paste = (line: string) =>
    promisify(execFile)('sh', ['-c', line.replace('redis-cli', `redis-cli -e -p ${redis.port}`)]);
  const OURS = ['~fenghuo:*', '&fenghuo:*'];

  test('all is well, lines say so, and nothing is left behind', async () => {
    const { code, stdout } = await run(['doctor'], {
      REDIS_URL: redis.url,
      JWT_SECRET: SECRET,
      PORT: '0',
      OPS_PORT: '0',
    });
    // Debian's Redis is 7.0, which is warned of: its version does not tell that Debian has mended it.
    const concerns = stdout.split('\n').filter((line) => /^(warning|fault) /.test(line));
    expect(concerns.filter((line) => !line.startsWith('warning  redis security '))).toEqual([]);
    expect(stdout).toMatch(/\n\nno faults, (no warnings|1 warning), \d+ ok\n$/);
    for (const line of ['Redis 7', 'round trip p50', "a script's ring came back"])
      expect(stdout).toMatch(RegExp(`^ok {7}redis +${line}`, 'm'));
    expect(stdout).not.toContain('\u001b');
    expect(code).toBe(0);
    expect(await admin.keys('*')).toEqual([]);
    expect(await admin.pubsub('SHARDCHANNELS')).toEqual([]);
  });

  test('the rights that it asks for, as the documents have them, are enough for nodes', async () => {
    const documents = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const [line = ''] = /^redis-cli ACL SETUSER fenghuo .*$/m.exec(documents) ?? [];
    await paste(line.replace('PASSWORD', PASSWORD));
    const report = await examine({ REDIS_URL: urlOf('fenghuo') });
    expect(report.findings.filter(({ level }) => level === 'fault')).toEqual([]);
    const cluster = await startCluster({ redisUrl: urlOf('fenghuo'), keyPrefix: 'fenghuo:documented' });
    onTestFinished(() => cluster.stop());
    const [ann, bob] = [await connect(cluster.nodes[0].url), await connect(cluster.nodes[1].url)];
    await ann.join('blue');
    await bob.join('blue');
    await ann.request('message', { topic: 'hi', data: 1 });
    expect(await bob.next('message')).toMatchObject({ topic: 'hi' });
    await ann.request('leave');
    expect(await bob.next('peer_left')).toMatchObject({ reason: 'left' });
    for (const client of [ann, bob]) client.close();
  });

  test('names each missing right, with the line that gives it', async () => {
    const lacking = ['xadd', 'zrank', 'ssubscribe', 'unlink'];
    const granted = ACL_COMMANDS.filter((command) => !lacking.includes(command));
    await allow('lacking', ...OURS, ...granted.map((command) => `+${command}`));
    const before = await examine({ REDIS_URL: urlOf('lacking') });
    expect(before.code).toBe(1);
    const [found] = before.concerns('redis rights');
    for (const command of lacking) expect(found?.text).toContain(command.toUpperCase());
    expect(before.text).not.toContain(PASSWORD);

    const [, line = ''] = /(redis-cli ACL SETUSER [^,]+),/.exec(found?.cure ?? '') ?? [];
    await paste(line);
    expect((await examine({ REDIS_URL: urlOf('lacking') })).concerns('redis rights')).toEqual([]);
  });

  test('names keys and channels that may not be touched, and writes nothing where it may not SET', async () => {
    await allow('elsewhere', '~other:*', '&other:*', '+@all');
    const [found] = (await examine({ REDIS_URL: urlOf('elsewhere') })).concerns('redis rights');
    expect(found?.text).toMatch(/touch keys under fenghuo:, nor use channels under fenghuo:/);
    expect(found?.cure).toMatch(/ACL SETUSER elsewhere .*'~fenghuo:\*'.*'&fenghuo:\*'/);
    await allow('readonly', ...OURS, '+@all', '-set');
    const [lack] = (await examine({ REDIS_URL: urlOf('readonly') })).concerns('redis rights');
    expect(lack?.cure).toMatch(/\+set, then .* and run the doctor again/);
    expect(await admin.keys('fenghuo:doctor*')).toEqual([]);
  });

  test('tells a wrong password from a missing one, and an evicting Redis', async () => {
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    onTestFinished(async () => void (await admin.config('SET', 'maxmemory-policy', 'noeviction')));
    const wrong = await examine({ REDIS_URL: `redis://nobody:${PASSWORD}@127.0.0.1:${redis.port}` });
    expect(wrong.concerns('redis')).toEqual([
      expect.objectContaining({
        level: 'fault',
        text: expect.stringContaining('refuses the user or the password'),
      }),
    ]);
    expect(wrong.text).not.toContain(PASSWORD);
    const [found] = (await examine({ REDIS_URL: redis.url })).concerns('redis memory');
    expect(found).toMatchObject({
      level: 'fault',
      text: expect.stringContaining('allkeys-lru'),
      cure: expect.stringContaining('CONFIG SET maxmemory-policy noeviction'),
    });
  });

  describe('and another in the other region', () => {
    const LINK_MS = 15;
    const from = async (region: string, shanghai: string) =>
      examine({ REGION: region, REDIS_URLS: `beijing=${urlOf('fenghuo')} shanghai=${shanghai}` });
    let other: LocalRedis;
    beforeAll(async () => {
      await allow('fenghuo', ...OURS, ...ACL_COMMANDS.map((command) => `+${command}`));
      other = await startLocalRedis({ aof: true });
    });
    afterAll(() => other.stop());

    test('looks at both, names each, and tells how long the link takes', async () => {
      const link = await startDelayProxy(other.port, () => LINK_MS);
      onTestFinished(() => link.stop());
      const { code, findings } = await from('beijing', `redis://127.0.0.1:${link.port}`);
      const concerns = findings.filter(({ level }) => level !== 'ok');
      expect(concerns.filter(({ check }) => check !== 'redis security')).toEqual([]);
      const ofRedis = findings.filter(({ check }) => /redis|link|clock|persistence|replication/.test(check));
      for (const home of ['beijing', 'shanghai'])
        expect(ofRedis.filter(({ text }) => text.startsWith(`${home}: `))).toHaveLength(ofRedis.length / 2);
      const [trip] = findings.filter(({ check }) => check === 'link');
      const [, p50 = '0'] = /^shanghai: round trip p50 ([\d.]+) ms/.exec(trip?.text ?? '') ?? [];
      expect(Number(p50)).toBeGreaterThanOrEqual(LINK_MS);
      expect(code).toBe(0);
    });

    test('finds out that both are one, by whatever address', async () => {
      const same = await startDelayProxy(redis.port, () => 0);
      onTestFinished(() => same.stop());
      expect((await from('beijing', `redis://127.0.0.1:${same.port}`)).concerns('redis')).toEqual([
        expect.objectContaining({
          level: 'fault',
          text: expect.stringMatching(/^beijing and shanghai are the same/),
        }),
      ]);
    });

    test('warns of a far one that freezes, and looks at its own all the same', async () => {
      other.pause();
      onTestFinished(() => other.resume());
      const { code, findings, concerns } = await from('beijing', other.url);
      expect(code).toBe(0);
      expect(concerns('redis')).toEqual([
        expect.objectContaining({
          level: 'warning',
          text: expect.stringMatching(/^shanghai: .*does not answer/),
        }),
      ]);
      expect(findings.some(({ text }) => text.startsWith('beijing: round trip'))).toBe(true);
    });

    test('warns of a far one that is away, with what that costs; one’s own is a fault', async () => {
      const gone = `redis://127.0.0.1:${await freePort()}`;
      const far = await from('beijing', gone);
      expect(far.code).toBe(0);
      expect(far.concerns('redis')).toEqual([
        expect.objectContaining({
          level: 'warning',
          text: expect.stringMatching(
            /^shanghai: .* nothing listens there .*rooms whose home it is are unavailable/,
          ),
          cure: expect.stringContaining('correct REDIS_URLS'),
        }),
      ]);
      const own = await from('shanghai', gone);
      expect(own.code).toBe(1);
      expect(own.concerns('redis')).toEqual([
        expect.objectContaining({ level: 'fault', text: expect.stringMatching(/^shanghai: /) }),
      ]);
    });

    test('takes a far one that refuses for the mistake that it is, and shows no password', async () => {
      const { code, text, concerns } = await from('beijing', urlOf('nobody'));
      expect(code).toBe(1);
      expect(concerns('redis')).toEqual([
        expect.objectContaining({
          level: 'fault',
          text: expect.stringMatching(/^shanghai: .*refuses the user/),
        }),
      ]);
      expect(text).not.toContain(PASSWORD);
    });
  });

  test('looks at every master of a Cluster, and says what REDIS_URL must be', async () => {
    const { url, masters } = await cluster;
    const good = await examine({ REDIS_URL: url });
    expect(good.findings.filter(({ level }) => level === 'fault')).toEqual([]);
    expect(good.findings.filter(({ check }) => check === 'redis rights')).toHaveLength(3);
    const [member, second] = masters;
    const other = new Redis(second?.url ?? '');
    onTestFinished(() => other.disconnect());
    await other.call('ACL', 'SETUSER', 'default', '-xadd', '-cluster|slots');
    expect((await examine({ REDIS_URL: url })).concerns('redis rights')).toEqual([
      expect.objectContaining({
        text: `127.0.0.1:${second?.port} the user default may not run XADD, CLUSTER|SLOTS`,
        cure: expect.stringContaining("SETUSER default +xadd '+cluster|slots',"),
      }),
    ]);
    const alone = await examine({ REDIS_URL: member?.url ?? '' });
    expect(alone.concerns('redis')[0]).toMatchObject({ cure: expect.stringContaining('redis+cluster://') });
    const mistaken = await examine({ REDIS_URL: redis.url.replace('redis:', 'redis+cluster:') });
    expect(mistaken.concerns('redis')[0]).toMatchObject({
      text: expect.stringContaining('it is no Cluster'),
    });
  });
});

test('with everything down or frozen it ends in time, and names each', async () => {
  const mute = await startMute();
  const udp = await muteUdp();
  const environment = {
    JWKS_URL: `http://127.0.0.1:${mute.port}/jwks`,
    AUTH: 'required',
    STUN_URLS: `stun:127.0.0.1:${udp}`,
    TURN_URLS: `turn:127.0.0.1:${udp} turn:127.0.0.1:${mute.port}?transport=tcp turns:127.0.0.1:${mute.port}`,
    TURN_SECRET: SECRET,
  };
  const startedAt = performance.now();
  const reports = await Promise.all([
    examine({ ...environment, REDIS_URL: `redis://127.0.0.1:${mute.port}` }),
    examine({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` }),
    examine({ REDIS_URL: `redis+sentinel://127.0.0.1:${mute.port},127.0.0.1:${await freePort()}/mymaster` }),
    examine({ REDIS_URL: `redis+cluster://127.0.0.1:${mute.port},127.0.0.1:${await freePort()}` }),
    examine({ REDIS_URL: 'redis://nowhere.invalid' }),
  ]);
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  for (const { code } of reports) expect(code).toBe(1);
  const said = reports.map((report) => report.concerns('redis').filter(({ level }) => level === 'fault'));
  expect(said.map((faults) => faults.map(({ text }) => text))).toEqual([
    [expect.stringContaining('takes connections and does not answer')],
    [expect.stringContaining('nothing listens there')],
    [expect.stringContaining('cannot be')],
    [expect.stringContaining('cannot be')],
    [expect.stringContaining('name of the host is not known')],
  ]);
  const [frozen] = reports;
  expect(frozen?.concerns('stun')).toHaveLength(1);
  expect(frozen?.concerns('turn')).toHaveLength(3);
  expect(frozen?.concerns('jwks')).toEqual([
    expect.objectContaining({ text: expect.stringContaining('no answer within') }),
  ]);
});

describe.skipIf(!capabilities.turnserver)('with a TURN server', () => {
  let turn: TurnServer;
  let urls: string;
  beforeAll(async () => {
    turn = await startTurnServer(SECRET);
    urls = `${turn.url} ${turn.url.replace('udp', 'tcp')}`;
  });
  afterAll(() => turn.stop());

  test('relays by UDP and TCP with the right secret, and gives the relay addresses back', async () => {
    const { findings, code } = await examine({
      TURN_URLS: urls,
      TURN_SECRET: `${SECRET} another`,
      STUN_URLS: turn.url.replace('turn:', 'stun:').replace(/\?.*/, ''),
    });
    expect(findings).toContainEqual(
      expect.objectContaining({ level: 'ok', check: 'stun', text: expect.stringContaining('127.0.0.1') }),
    );
    // This one relays to loopback addresses, for tests: no other may.
    expect(findings.filter(({ check }) => check === 'turn')).toEqual([
      expect.objectContaining({
        level: 'warning',
        text: expect.stringMatching(/udp would relay to 127\.0\.0\.1/),
      }),
      expect.objectContaining({
        level: 'warning',
        text: expect.stringMatching(/tcp would relay to 127\.0\.0\.1/),
      }),
    ]);
    expect(code).toBe(0);
    expect(turn.log()).toMatch(/refresh.*lifetime=0|delete/i);
  });

  test('refuses the credentials of a wrong secret, which is a fault with its cure', async () => {
    const { code, findings, text } = await examine({ TURN_URLS: urls, TURN_SECRET: PASSWORD });
    expect(code).toBe(1);
    expect(findings.filter(({ check }) => check === 'turn')).toEqual(
      ['udp', 'tcp'].map((transport) =>
        expect.objectContaining({
          level: 'fault',
          text: expect.stringMatching(RegExp(`transport=${transport} refuses our credentials \\(401\\)`)),
          cure: expect.stringContaining('static-auth-secret'),
        }),
      ),
    );
    expect(text).not.toContain(PASSWORD);
  });
});

test('keys of the issuer are fetched and tried, and its clock is compared', async () => {
  const issuer = await startIssuer();
  onTestFinished(() => issuer.close());
  const jwks = async (url: string) => {
    const { findings } = await examine({ AUTH: 'required', JWKS_URL: url });
    return findings
      .filter(({ check }) => check === 'jwks' || check === 'clock')
      .map(({ level, text }) => `${level} ${text}`);
  };
  expect(await jwks(issuer.jwksUrl)).toEqual([
    'ok 1 of 1 keys at JWKS_URL can be used',
    'ok agrees with that of the issuer',
  ]);
  issuer.behave('fail');
  expect(await jwks(issuer.jwksUrl)).toEqual(['fault JWKS_URL answers HTTP 500']);

  const other = await startHttp();
  expect(await jwks(`${other}/late`)).toEqual([
    expect.stringMatching(/^fault none of the 1 keys/),
    expect.stringMatching(/^fault this host is 1\d\d s ahead of the issuer/),
  ]);
  expect(await jwks(`${other}/private`)).toContainEqual(
    expect.stringMatching(/^fault .*everybody can make tokens/),
  );
  expect(await jwks(`${other}/moved`)).toEqual([expect.stringMatching(/^fault JWKS_URL redirects/)]);
  expect(await jwks(`${other}/page`)).toContainEqual(expect.stringMatching(/^fault .*no JWK Set/));
});

test('a port is free, ours, or in the way', async () => {
  const cluster = await startCluster({ nodes: 1, backplane: 'memory' });
  onTestFinished(() => cluster.stop());
  const [node] = cluster.nodes;
  const portOf = (url: string) => new URL(url).port;
  const ours = await examine({ HOST: '127.0.0.1', PORT: portOf(node.url), OPS_PORT: portOf(node.opsUrl) });
  expect(ours.findings.filter(({ check }) => check === 'ports').map(({ level }) => level)).toEqual([
    'ok',
    'ok',
  ]);
  const mute = await startMute();
  const taken = await examine({
    HOST: '127.0.0.1',
    PORT: String(mute.port),
    OPS_PORT: String(await freePort()),
  });
  expect(taken.concerns('ports')).toEqual([
    expect.objectContaining({
      level: 'fault',
      cure: expect.stringContaining(`ss -ltnp 'sport = :${mute.port}'`),
    }),
  ]);
  const nowhere = await examine({ HOST: '192.0.2.1', PORT: '4000' });
  expect(nowhere.concerns('ports')).toEqual([
    expect.objectContaining({ text: expect.stringContaining('EADDRNOTAVAIL') }),
  ]);
});

test('a node with a faulty environment names all of it and never listens; the doctor says the same', async () => {
  const port = await freePort();
  const environment = {
    NODE_ENV: 'production',
    PORT: String(port),
    OPS_PORT: 'ninety',
    AUTH: 'open',
    REDIS_URL: `http://u:${PASSWORD}@redis`,
    TURN_URLS: 'turn:turn.example.org',
    ADMIN_TOKEN: 'guessable',
  };
  const names = ['OPS_PORT', 'AUTH', 'REDIS_URL', 'ALLOWED_ORIGINS', 'TURN_SECRET', 'ADMIN_TOKEN'];
  const [node, seen, misused, misspelled] = await Promise.all([
    run([], environment),
    run(['doctor', '--json'], { ...environment, TURN_URLS: 'turn:127.0.0.1:1' }),
    run(['doctor', '--everything'], environment),
    run(['docter'], environment),
  ]);
  expect(node).toMatchObject({ code: 1, stdout: '' });
  for (const name of names) expect(node.stderr).toContain(`${name} `);
  expect(node.stderr).not.toMatch(RegExp(`${PASSWORD}|guessable|ninety`));
  expect(seen.code).toBe(1);
  const told = (JSON.parse(seen.stdout) as { findings: Finding[] }).findings
    .filter(({ check }) => check === 'configuration')
    .map(({ text }) => text.split(' ')[0]);
  expect(told.sort()).toEqual([...names].sort());
  expect(seen.stdout).not.toMatch(RegExp(`${PASSWORD}|guessable|ninety`));
  expect(misspelled).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('"doctor"') });
  expect(misused).toMatchObject({ code: 2, stdout: expect.stringMatching(/^Usage: /) });
});

/** Takes connections and never says a word. */
async function startMute(): Promise<{ readonly port: number; readonly server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server };
}

async function muteUdp(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  return socket.address().port;
}

/** An issuer as it should not be. */
async function startHttp(): Promise<string> {
  const server = createHttpServer(({ url }, response) => {
    response.sendDate = url !== '/late';
    if (url === '/late') response.setHeader('date', new Date(Date.now() - 120_000).toUTCString());
    if (url === '/moved') return response.writeHead(302, { location: '/elsewhere' }).end();
    if (url === '/page') return response.end('<html>');
    const key =
      url === '/private' ? { kty: 'EC', crv: 'P-256', x: 'a', y: 'b', d: 'c' } : { kty: 'EC', crv: 'P-384' };
    response.end(JSON.stringify({ keys: [key] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

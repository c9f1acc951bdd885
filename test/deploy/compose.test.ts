import { freePort } from '@fenghuo/cluster';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { type CallBrowser, openBrowser, type Person } from '../support/browser.ts';
import { changeTheCall, watchBoth } from '../support/call.ts';
import { capabilities } from '../support/capabilities.ts';
import { type ComposeCluster, composeUp, NODES } from '../support/compose.ts';
import { startLoad } from '../support/crowd-load.ts';
import { eventually } from '../support/eventually.ts';
import { buildImage } from '../support/image.ts';
import { connect } from '../support/plain-client.ts';
import { headersOverTls, tlsVersion } from '../support/tls-probe.ts';

/** The home of each region. */
const REDIS = ['redis-beijing', 'redis-shanghai'] as const;
const SMALL = { viewport: { width: 880, height: 480 }, ignoreHTTPSErrors: true };
/** So that a roll of four nodes takes seconds: half of it is the pace at which clients are sent away. */
const DRAIN_MS = '4000';
/** Containers start on the processors that draw the pictures; a way that breaks and is found anew takes longer. */
const GAP_MS_MAX = 2_500;

/** Run in a container, which is another address: 2,600 connections that say nothing. Prints how many are left soon after. */
const OPEN_SILENTLY = `
  const sockets = Array.from({ length: 2_600 }, () =>
    require('net').connect(8080, 'haproxy').on('error', () => {}));
  setTimeout(() => {
    console.log(sockets.filter((each) => each.readyState === 'open').length);
    process.exit();
  }, 3_000);`;

/** docker-compose.yml as it ships, on a real engine; one cluster for all, since it takes long to come up. */
describe.skipIf(!capabilities.docker || capabilities.chromium === false)('docker compose up --wait', () => {
  let cluster: ComposeCluster;
  let browser: CallBrowser;
  beforeAll(async () => {
    await buildImage();
    [cluster, browser] = await Promise.all([composeUp({ DRAIN_MS }), openBrowser()]);
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await cluster?.stop();
  }, 60_000);
  afterEach(() => browser?.closePages());

  /** Of the nodes, in their order. */
  const containers = async () =>
    Promise.all(NODES.map(async (node) => (await cluster.compose('ps', '--quiet', node)).trim()));
  const inRegion = (region: string) => `${cluster.url}/?region=${region}`;

  test('ends healthy, with configurations that their own tools find nothing in', async () => {
    const services = (await cluster.compose('ps', '--format', '{{.Service}} {{.Health}}')).trim().split('\n');
    expect(services.sort()).toEqual(
      ['alertmanager', 'coturn', 'haproxy', 'prometheus', ...REDIS, ...NODES]
        .map((name) => `${name} healthy`)
        .sort(),
    );
    const haproxy = await cluster.compose(
      ...['exec', '-T', 'haproxy', 'haproxy', '-c', '-V', '-f', '/usr/local/etc/haproxy/haproxy.cfg'],
    );
    expect(haproxy).toBe('Configuration file is valid\n');
    expect(
      await cluster.compose(
        'exec',
        '-T',
        'prometheus',
        'promtool',
        'check',
        'config',
        '/etc/prometheus/prometheus.yml',
      ),
    ).not.toMatch(/FAILED|WARN/);
    expect(
      await cluster.compose(
        ...['exec', '-T', 'alertmanager', 'amtool', 'check-config', '/etc/alertmanager/alertmanager.yml'],
      ),
    ).toContain('SUCCESS');
  });

  test('lists both regions, the asked one first, for whoever wants to measure the ways there', async () => {
    const told = await eventually(
      async () => {
        const { region, regions } = (await (
          await fetch(`${cluster.url}/regions?region=shanghai`)
        ).json()) as {
          region: string;
          regions: object[];
        };
        return regions.length === 2 && { region, regions };
      },
      { what: 'two regions', timeoutMs: 10_000 },
    );
    expect(told).toEqual({
      region: 'shanghai',
      regions: ['shanghai', 'beijing'].map((name) => ({ name, endpoints: [inRegion(name)], nodes: 2 })),
    });
  });

  test('lets nobody say by a header of their own where they come from', async () => {
    const [host, guest] = [await connect(cluster.url), await connect(cluster.url)];
    const room = 'by address';
    await host.join(room, { name: 'Host' });
    const { self } = await guest.join(room, { name: 'Guest' });
    expect(await host.request('moderate', { action: 'ban', peer: self.id })).toMatchObject({ ok: true });
    await guest.next('removed');
    // An open room bans by name and address.
    const again = await connect(cluster.url, { headers: { 'X-Forwarded-For': '203.0.113.9' } });
    expect(await again.request('join', { room, name: 'Guest' })).toMatchObject({ error: { code: 'banned' } });
    for (const client of [host, guest, again]) client.close();
  });

  test('a call and a load through HAProxy outlive a killed node, a restarted Redis and a roll', async () => {
    const load = startLoad([inRegion('beijing'), inRegion('shanghai')]);
    const [wei, ana] = await Promise.all([
      browser.enter(cluster.url, { name: 'Wei', room: 'blue', query: { region: 'beijing' }, context: SMALL }),
      browser.enter(cluster.tlsUrl, {
        name: 'Ana',
        room: 'blue',
        query: { region: 'shanghai' },
        context: SMALL,
      }),
    ]);
    await Promise.all([wei.seesAndHears(ana), ana.seesAndHears(wei)]);
    const homes = [await nodeOf(wei), await nodeOf(ana)];
    expect(homes).toEqual([expect.stringMatching(/^beijing-/), expect.stringMatching(/^shanghai-/)]);
    await load.isOn();

    let frames = await watchBoth(wei, ana, GAP_MS_MAX);
    await load.during('kill', async () => {
      await cluster.compose('kill', homes[0] as string);
      await wei.isBack();
      expect(await nodeOf(wei)).not.toBe(homes[0]);
      expect(await nodeOf(wei)).toMatch(/^beijing-/);
      await cluster.compose('up', '--detach', '--no-deps', '--no-recreate', homes[0] as string);
    });
    await frames.haveNoGap();
    await changeTheCall(wei, ana);

    frames = await watchBoth(wei, ana, GAP_MS_MAX);
    await load.during('redis-restart', async () => {
      await cluster.compose('stop', ...REDIS);
      // A quick restart is over before anybody is told to wait.
      await load.isFelt();
      await cluster.compose('start', ...REDIS);
      await eventually(async () => (await Promise.all(NODES.map(cluster.isReady))).every(Boolean), {
        timeoutMs: 30_000,
        what: 'all nodes are ready again',
      });
    });
    await frames.haveNoGap();
    await changeTheCall(wei, ana);

    frames = await watchBoth(wei, ana, GAP_MS_MAX);
    await load.during('terminate', async () => {
      const before = await containers();
      await cluster.roll();
      const after = await containers();
      for (const node of NODES) expect(after).not.toContain(before[NODES.indexOf(node)]);
      // A plain `up` finds all as it should be.
      await cluster.compose('up', '--detach', '--no-build');
      expect(await containers()).toEqual(after);
    });
    await frames.haveNoGap();
    await changeTheCall(wei, ana);

    expect([await nodeOf(wei), await nodeOf(ana)]).toEqual([
      expect.stringMatching(/^beijing-/),
      expect.stringMatching(/^shanghai-/),
    ]);
    expect(await load.verdict()).toEqual([]);
    // What a user may not do and asked for would be in here: a node, or Redis itself as it read its file again.
    for (const redis of REDIS) expect(await redisCli(redis, 'ACL', 'LOG')).toBe('');
  }, 240_000);

  test('a node’s heap has 70 % of what its container may take', async () => {
    const metrics = await (await fetch(`${cluster.opsUrl('beijing-1')}/metrics`)).text();
    const [, bytes] = /^signaling_process_heap_limit_bytes (\S+)$/m.exec(metrics) ?? [];
    expect(Number(bytes) / 2 ** 30).toBeGreaterThan(0.69);
    expect(Number(bytes) / 2 ** 30).toBeLessThan(0.8);
  });

  test('one address does not fill HAProxy: health, metrics and 200 people behind another one are served', async () => {
    const flood = cluster.compose('exec', '-T', 'shanghai-2', 'node', '-e', OPEN_SILENTLY);
    await eventually(async () => (await cluster.frontend('denied_connections_total')) > 0, {
      what: 'connections of one address are denied',
      timeoutMs: 10_000,
    });
    expect(await cluster.frontend('current_sessions')).toBeLessThanOrEqual(2_100);
    expect(await cluster.frontend('limit_sessions')).toBe(9_800);
    const people = await Promise.all(Array.from({ length: 200 }, () => connect(cluster.url)));
    const joins = people.map((person, n) => person.join(`office ${n % 50}`, { name: `Person ${n}` }));
    expect(await Promise.all(joins)).toHaveLength(200);
    for (const person of people) person.close();
    expect(JSON.parse(await flood)).toBeLessThanOrEqual(2_000);
  });

  test('where the public address is https, plaintext is sent there, and browsers may be told to remember it', async () => {
    const [http, https] = [await freePort(), await freePort()];
    const id = await cluster.compose(
      ...['run', '--detach', '--no-deps', '--publish', `127.0.0.1:${http}:8080`],
      ...['--publish', `127.0.0.1:${https}:8443`, '--env', 'PUBLIC_URL=https://calls.example:8443'],
      ...['--env', 'HSTS_MAX_AGE_S=300', 'haproxy'],
    );
    try {
      const plain = await eventually(
        () => fetch(`http://127.0.0.1:${http}/?room=blue`, { redirect: 'manual' }),
        { what: 'HAProxy answers' },
      );
      expect([plain.status, plain.headers.get('location')]).toEqual([
        308,
        'https://calls.example:8443/?room=blue',
      ]);
      const safe = await headersOverTls(https);
      expect(safe['strict-transport-security']).toBe('max-age=300');
    } finally {
      await cluster.docker('rm', '--force', id.trim());
    }
  });

  test.each([
    ['TLS 1.1', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['CBC with SHA-1', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA' }],
    ['CBC with SHA-2', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }],
  ] as const)('TLS takes no %s', async (_, options) => {
    await expect(tlsVersion(Number(new URL(cluster.tlsUrl).port), options)).rejects.toThrow(
      /alert|handshake/,
    );
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('TLS takes %s', async (version) => {
    const port = Number(new URL(cluster.tlsUrl).port);
    expect(await tlsVersion(port, { maxVersion: version })).toBe(version);
  });

  test('Prometheus reaches every node and HAProxy, and every recording rule has a value', async () => {
    await eventually(
      async () => {
        const up = await query('sum by (job) (up{job=~"signaling|haproxy"})');
        expect(up).toEqual([
          { metric: { job: 'haproxy' }, value: 1 },
          { metric: { job: 'signaling' }, value: 4 },
        ]);
      },
      { timeoutMs: 15_000, everyMs: 200, what: 'all are scraped' },
    );
    const { groups } = (await ask(`${cluster.prometheusUrl}/api/v1/rules`)) as {
      groups: { rules: Rule[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    const recorded = rules.filter(({ type }) => type === 'recording').map(({ name }) => name);
    expect(recorded.length).toBeGreaterThan(0);
    const values = await Promise.all(recorded.map((name) => query(name)));
    expect(recorded.filter((_, index) => values[index]?.length === 0)).toEqual([]);
  });

  test('a region that loses its Redis loses the rooms that live there until it is back, and nothing else', async () => {
    const [wei, ana] = (await Promise.all(
      ['beijing', 'shanghai'].map((region) =>
        browser.enter(cluster.url, { name: region, room: 'near@beijing', query: { region }, context: SMALL }),
      ),
    )) as [Person, Person];
    await Promise.all([wei.seesAndHears(ana), ana.seesAndHears(wei)]);
    const [bo, li] = [await connect(inRegion('beijing')), await connect(inRegion('shanghai'))];
    for (const client of [bo, li]) await client.join('far@shanghai');
    const frames = await watchBoth(wei, ana, GAP_MS_MAX);

    await cluster.compose('stop', 'redis-shanghai');
    for (const node of ['shanghai-1', 'shanghai-2'] as const)
      await eventually(async () => !(await cluster.isReady(node)), {
        timeoutMs: 15_000,
        what: `${node} misses its Redis`,
      });
    // Across the regions, in a room whose home is there: an ICE restart and a track.
    await changeTheCall(wei, ana);
    const late = { id: 2, topic: 'chat', data: 'sent while it was away' };
    const askedMs = performance.now();
    expect(await bo.ask('message', late)).toMatchObject({
      error: { code: 'unavailable', retry_after_ms: expect.any(Number) },
    });
    expect(performance.now() - askedMs).toBeLessThan(1_500);
    // Whose region takes nobody is led to the other.
    const guest = await connect(inRegion('shanghai'));
    expect(await guest.next('welcome')).toMatchObject({ region: 'beijing' });
    expect(await guest.request('join', { room: 'new@beijing' })).toMatchObject({ ok: true });
    expect(await redisFaults('beijing-1')).toEqual([
      expect.stringMatching(/^warning shanghai: .*rooms whose home it is are unavailable from here/),
    ]);
    expect(await redisFaults('shanghai-1')).toEqual([expect.stringMatching(/^fault shanghai: /)]);
    await eventually(async () => (await alerts()).includes('RedisUnreachable shanghai shanghai'), {
      timeoutMs: 60_000,
      everyMs: 500,
      what: 'Alertmanager has the alert',
    });
    expect(await Promise.all([cluster.isReady('beijing-1'), cluster.isReady('beijing-2')])).toEqual([
      true,
      true,
    ]);
    // The engine keeps a node for a Redis that is away: it is alive.
    const health = await cluster.compose('ps', '--format', '{{.Health}}', 'shanghai-1');
    expect(health.trim()).toBe('healthy');
    // Neither that a link is cut, nor that goals are missed, for this or, when it restarted, before. How fast signals are is
    // the machine's doing: what runs beside this takes both of its cores.
    const others = (await alerts()).filter((alert) => !alert.startsWith('RelaySlow'));
    expect(others).toEqual(['RedisUnreachable shanghai shanghai']);

    await cluster.compose('up', '--detach', '--no-deps', '--no-recreate', 'redis-shanghai');
    await eventually(async () => (await bo.ask('message', late)).ok, {
      timeoutMs: 30_000,
      everyMs: 500,
      what: 'the message is taken',
    });
    expect(await li.next('message')).toMatchObject({ data: late.data });
    expect(li.all('message')).toHaveLength(1);
    await frames.haveNoGap();
    await eventually(async () => !(await alerts()).some((alert) => alert.startsWith('RedisUnreachable')), {
      timeoutMs: 60_000,
      everyMs: 500,
      what: 'Alertmanager has let go of the alert',
    });
    expect((await Promise.all(NODES.map(cluster.isReady))).every(Boolean)).toBe(true);
    for (const client of [bo, li, guest]) client.close();
  }, 150_000);

  /** What the doctor in a node's container finds wrong with Redis. */
  async function redisFaults(node: string): Promise<string[]> {
    // It ends with 1 for the TURN server that is not at the container's own localhost.
    const doctor = 'node services/signaling/main.ts doctor --json || true';
    const { findings } = JSON.parse(await cluster.compose('exec', '-T', node, 'sh', '-c', doctor)) as {
      findings: { level: string; check: string; text: string }[];
    };
    return findings
      .filter(({ level, check }) => check === 'redis' && level !== 'ok')
      .map(({ level, text }) => `${level} ${text}`);
  }

  /** Those that somebody would hear of, each with where it is and of which home. */
  async function alerts(): Promise<string[]> {
    const response = await fetch(`${cluster.alertmanagerUrl}/api/v2/alerts?inhibited=false`);
    const active = (await response.json()) as { labels: Readonly<Record<string, string>> }[];
    return active.map(({ labels: { alertname, region, home } }) => `${alertname} ${region} ${home}`);
  }

  async function query(
    expression: string,
  ): Promise<{ metric: Readonly<Record<string, string>>; value: number }[]> {
    const { result } = (await ask(
      `${cluster.prometheusUrl}/api/v1/query?${new URLSearchParams({ query: expression })}`,
    )) as { result: { metric: Record<string, string>; value: [number, string] }[] };
    return result
      .map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
      .sort((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)));
  }

  const redisCli = async (redis: string, ...command: string[]) =>
    (
      await cluster.compose(
        ...['exec', '-T', redis, 'redis-cli', '--no-auth-warning', '--user', 'admin'],
        ...['--pass', cluster.secret('redis_admin_password'), ...command],
      )
    ).trim();
});

interface Rule {
  readonly name: string;
  readonly type: 'recording' | 'alerting';
  readonly health: string;
}

async function ask(url: string): Promise<unknown> {
  return ((await (await fetch(url)).json()) as { data: unknown }).data;
}

async function nodeOf(person: Person): Promise<string | null> {
  return person.by('own-node').getAttribute('data-node');
}

import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openMetrics } from '../../services/signaling/telemetry/metrics.ts';
import { capabilities } from '../support/capabilities.ts';
import { startCluster, type TestNode } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { type Series, seriesIn } from '../support/exposition.ts';
import { connect, type PlainClient } from '../support/plain-client.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const SERIES_MAX = 1_500;
/** Of a socket that was closed, or was found closed by what was just being written to it. */
const GONE = ['reason="transport"', 'reason="error"'];
const CONNECTIONS_TO_REDIS = ['commands', 'subscriber', 'adapterPublisher', 'adapterSubscriber'];

describe('a busy node', () => {
  let text = '';
  const closers: (() => unknown)[] = [];
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  });

  beforeAll(async () => {
    const straight = new URL(inject('redisUrl'));
    const pass = (chunk: Buffer, on: (chunk: Buffer) => void) => on(chunk);
    const proxy = await startTcpProxy(Number(straight.port), () => ({ toServer: pass, toClient: pass }));
    closers.push(() => proxy.stop());
    const cluster = await startCluster({
      nodes: 3,
      redisUrl: [`redis://127.0.0.1:${proxy.port}`, straight.href, straight.href],
      settings: {
        ADMIN_TOKEN: 'an-admin-token-of-32-characters-or-more',
        TURN_URLS: 'turn:127.0.0.1',
        TURN_SECRET: 's'.repeat(32),
      },
    });
    closers.push(() => cluster.stop());
    const [beijing, shanghai, nearby] = cluster.nodes as [TestNode, TestNode, TestNode];
    const scrape = async () => (await fetch(`${beijing.opsUrl}/metrics`)).text();
    const people = await Promise.all([beijing, shanghai, beijing, nearby].map((node) => connect(node.url)));
    for (const person of people) closers.push(() => person.close());
    const [ann, bob, carol, erin] = people as [PlainClient, PlainClient, PlainClient, PlainClient];
    await ann.join('blue');
    const { self } = await bob.join('blue');
    const local = await carol.join('blue');
    const near = await erin.join('blue');
    await ann.request('signal', { to: near.self.id, description: { type: 'answer', sdp: 'v=0' } });
    await ann.request('signal', { to: self.id, description: { type: 'offer', sdp: 'v=0' } });
    await ann.request('signal', { to: local.self.id, candidate: null });
    await ann.request('signal', { to: 'nobody', candidate: null });
    await ann.ask('message', { topic: 'typing', data: 1, ephemeral: true });
    await ann.ask('nonsense', {});
    await carol.next('signal');
    // Carol goes and comes back, dave says goodbye, and somebody tries a wrong token.
    carol.socket.io.engine.close();
    await eventually(
      async () => {
        const ended = seriesIn(await scrape());
        return GONE.some((reason) => value(ended, 'signaling_connections_closed_total', reason) === 1);
      },
      { what: 'the end of a connection that was closed' },
    );
    const [again, dave] = [await connect(beijing.url), await connect(beijing.url)];
    closers.push(() => again.close());
    await eventually(async () => (await again.resume(local)).ok);
    await dave.ask('resume', { resume_token: 'forged', seq: 0, epoch: 0 });
    dave.close();
    await fetch(`${beijing.opsUrl}/admin/v1/nodes`, { headers: { authorization: 'Bearer wrong' } });
    proxy.cut();
    text = (await eventually(
      async () => {
        const scraped = await scrape();
        const series = seriesIn(scraped);
        const isBack = CONNECTIONS_TO_REDIS.every(
          (name) =>
            value(series, 'signaling_redis_reconnects_total', `home="main",connection="${name}"`) >= 1,
        );
        const isSettled =
          value(series, 'signaling_relay_duration_seconds_count', 'path="local",kind="other",home="near"') ===
            1 &&
          value(series, 'signaling_connections_closed_total', 'reason="client"') === 1 &&
          value(series, 'signaling_doorbell_loop_seconds_count', 'home="main"') >= 1 &&
          value(series, 'signaling_redis_up', 'home="main"') === 1 &&
          value(series, 'signaling_lease_taken', 'home="main"') === 1 &&
          value(series, 'signaling_cluster_nodes', 'home="main"') === 3;
        return isBack && isSettled && scraped;
      },
      { timeoutMs: 10_000, what: 'a node that is back at Redis' },
    )) as string;
  });

  test('says what happened to connections, rooms, requests, Redis and operators', () => {
    const told = [
      'signaling_connections 2',
      'signaling_connections_max 10000',
      'signaling_connections_opened_total 4',
      'signaling_connections_closed_total{reason="client"} 1',
      'signaling_handshakes_waiting 0',
      'signaling_ready{check="lease_taken"} 1',
      'signaling_rooms 1',
      'signaling_rooms_by_size{peers="3-4"} 1',
      'signaling_peers 2',
      'signaling_join_duration_seconds_count 2',
      'signaling_resumes_total{outcome="recovered"} 1',
      'signaling_resumes_total{outcome="unknown_token"} 1',
      'signaling_resume_duration_seconds_count 1',
      'signaling_messages_total{type="join",outcome="ok"} 2',
      'signaling_messages_total{type="offer",outcome="ok"} 1',
      'signaling_messages_total{type="candidate",outcome="peer_not_found"} 1',
      'signaling_messages_total{type="ephemeral",outcome="ok"} 1',
      'signaling_messages_total{type="invalid",outcome="unknown_request"} 1',
      'signaling_relay_duration_seconds_count{path="node",kind="sdp",home="near"} 1',
      'signaling_relay_duration_seconds_count{path="region",kind="sdp",home="near"} 1',
      'signaling_relay_duration_seconds_count{path="region",kind="other",home="near"} 0',
      'signaling_ice_credentials_total 2',
      'signaling_cluster_nodes{home="main"} 3',
      'signaling_lease_taken{home="main"} 1',
      'signaling_doorbell_up{home="main"} 1',
      'signaling_home_local{home="main"} 1',
      'signaling_redis_command_duration_seconds_count{script="join"} 2',
      'signaling_redis_commands_pending',
      'signaling_admin_actions_total{action="none",outcome="unauthorized"} 1',
      'signaling_build_info{version="0.1.0"',
    ];
    expect(told.filter((line) => !text.includes(line))).toEqual([]);
    const series = seriesIn(text);
    expect(value(series, 'signaling_log_records')).toBeGreaterThanOrEqual(4);
    expect(value(series, 'signaling_log_bytes')).toBeGreaterThan(100);
    expect(value(series, 'signaling_log_age_seconds')).toBeGreaterThan(0);
    expect(value(series, 'signaling_process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(value(series, 'signaling_process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(value(series, 'signaling_process_open_files')).toBeGreaterThan(10);
  });

  test(`tells nothing that it did not tell at zero before, in under ${SERIES_MAX} series`, async () => {
    const nameOf = ({ name, labels }: Series) => `${name}{${labels}}`;
    const before = seriesIn(await openMetrics().registry.metrics()).map(nameOf);
    const now = seriesIn(text).map(nameOf);
    expect(now).toEqual(before);
    expect(now.length).toBeLessThan(SERIES_MAX);
  });

  test('carries no peer, no room and no address in a label', () => {
    expect(text).not.toMatch(/blue|127\.0\.0\.1|nobody|nonsense|typing|forged/);
  });

  test.skipIf(!capabilities.promtool)('is clean for promtool check metrics', () => {
    expect(execFileSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })).toBe('');
  });
});

function value(series: readonly Series[], name: string, labels = ''): number {
  return series.find((each) => each.name === name && each.labels === labels)?.value ?? Number.NaN;
}

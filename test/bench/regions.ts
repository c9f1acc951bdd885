// What a region of its own costs and saves: node_modules/.bin/node test/bench/regions.ts [ROUNDS] [SIGNALS_A_SECOND] [ONE_WAY_MS]
// Relays between two nodes of a region, in a cluster of one region and in one of two, and between the regions, turn by turn
// in one run. Prints figures; asserts nothing. Everything is on 127.0.0.1, and gone afterwards.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import {
  freePort,
  type NodeProcess,
  nodeEnvironment,
  pageUrl,
  type RedisSettings,
  startLink,
  startNodeProcess,
} from '@fenghuo/cluster';
import { build, type Histogram } from 'hdr-histogram-js';
import { connect, type PlainClient, SAMPLE_SDP } from '../support/plain-client.ts';
import { startLocalRedis } from '../support/redis.ts';

const [rounds = 5, perSecond = 500, oneWayMs = 15] = process.argv.slice(2).map(Number);
const PAIRS = 25;
const ROUND_MS = 5_000;
const JOINS = 20;
const STOP_MS = 2_000;

type Kind = 'one region' | 'two regions, at home' | 'two regions, across';
interface Pair {
  readonly from: PlainClient;
  readonly to: string;
}

const closers: (() => Promise<unknown>)[] = [];
let nodes = 0;
try {
  await main();
} finally {
  for (const close of closers.reverse()) await close();
}
process.exit();

async function main(): Promise<void> {
  const [one, beijing, shanghai] = await Promise.all([redis(), redis(), redis()]);
  const [toBeijing, toShanghai] = [await link(beijing.port), await link(shanghai.port)];
  const homes = (region: string): RedisSettings => ({
    REDIS_URLS: `beijing=${region === 'beijing' ? beijing.url : toBeijing} shanghai=${region === 'shanghai' ? shanghai.url : toShanghai}`,
  });
  const [a, b] = [
    await node('beijing', { REDIS_URL: one.url }),
    await node('beijing', { REDIS_URL: one.url }),
  ];
  const [c, d] = [await node('beijing', homes('beijing')), await node('beijing', homes('beijing'))];
  const e = await node('shanghai', homes('shanghai'));

  const heard = new Map<Kind, Histogram>();
  const kinds: [Kind, Pair[]][] = [
    ['one region', await pairs('one region', a, b, 'main', heard)],
    ['two regions, at home', await pairs('two regions, at home', c, d, 'beijing', heard)],
    ['two regions, across', await pairs('two regions, across', c, e, 'beijing', heard)],
  ];
  const rows = new Map<Kind, { p50: number[]; p99: number[] }>();
  for (let round = 0; round < rounds; round++) {
    // Another one is first each time.
    for (const [kind, of] of [...kinds.slice(round % 3), ...kinds.slice(0, round % 3)]) {
      heard.set(kind, histogram());
      await talk(of);
      const { p50 = [], p99 = [] } = rows.get(kind) ?? {};
      const at = (percentile: number) => (heard.get(kind)?.getValueAtPercentile(percentile) ?? 0) / 1_000;
      rows.set(kind, { p50: [...p50, at(50)], p99: [...p99, at(99)] });
    }
  }
  say(`${perSecond} signals/s, ${oneWayMs} ms one way, medians (and range) of ${rounds} rounds in turn, ms`);
  for (const [kind, { p50, p99 }] of rows) say(`${kind}: p50 ${spread(p50)}, p99 ${spread(p99)}`);
  const ratios = rows
    .get('two regions, at home')
    ?.p50.map((value, n) => value / (rows.get('one region')?.p50[n] ?? 0));
  say(`p50 at home to p50 of one region, round by round: ${spread(ratios ?? [])}`);
  say(`join from Shanghai of a room in Beijing, by name: ${spread(await joins(c, e))} ms`);
}

async function pairs(
  kind: Kind,
  one: string,
  other: string,
  home: string,
  heard: Map<Kind, Histogram>,
): Promise<Pair[]> {
  const made: Pair[] = [];
  for (let n = 0; n < PAIRS; n++) {
    const [from, to] = [await person(one), await person(other)];
    const room = `${kind.replaceAll(/\W/g, '-')}-${n}@${home}`;
    const ends = [
      { from, self: (await from.join(room)).self.id },
      { from: to, self: (await to.join(room)).self.id },
    ] as const;
    for (const { from: client } of ends)
      client.socket.on('signal', ({ description }: { description: { sdp: string } }) => {
        const plannedMs = Number(description.sdp.slice(0, 20));
        heard.get(kind)?.recordValue(Math.max(1, Math.round((performance.now() - plannedMs) * 1_000)));
      });
    made.push({ from, to: ends[1].self }, { from: to, to: ends[0].self });
  }
  return made;
}

/** In open loop: times count from when a signal was to be sent. */
async function talk(of: readonly Pair[]): Promise<void> {
  const [beganMs, count] = [performance.now(), Math.round((ROUND_MS / 1_000) * perSecond)];
  const under: Promise<unknown>[] = [];
  for (let n = 0; n < count; n++) {
    const plannedMs = beganMs + (n * 1_000) / perSecond;
    // Timers know whole milliseconds alone, and would be early; the rest is turned away.
    if (plannedMs - performance.now() > 2) await sleep(plannedMs - performance.now() - 1);
    while (performance.now() < plannedMs) await nextTurn();
    const { from, to } = of[n % of.length] as Pair;
    const sdp = plannedMs.toFixed(3).padEnd(20) + SAMPLE_SDP;
    under.push(from.request('signal', { to, description: { type: 'answer', sdp } }));
  }
  await Promise.all(under);
  await sleep(200);
}

async function joins(near: string, far: string): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < JOINS; n++) {
    await (await person(near)).join(`far-${n}`);
    const client = await person(far);
    const sinceMs = performance.now();
    await client.join(`far-${n}`);
    times.push(performance.now() - sinceMs);
  }
  return times;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function histogram(): Histogram {
  return build({ numberOfSignificantValueDigits: 3 });
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((one, other) => one - other);
  const [min, median, max] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return `${median?.toFixed(2)} (${min?.toFixed(2)} to ${max?.toFixed(2)})`;
}

async function redis() {
  const server = await startLocalRedis();
  closers.push(() => server.stop());
  return server;
}

async function link(port: number): Promise<string> {
  const opened = await startLink(port, { delayMs: oneWayMs });
  closers.push(() => opened.stop());
  return `redis://127.0.0.1:${opened.port}`;
}

async function node(region: string, settings: RedisSettings): Promise<string> {
  const [port, opsPort] = [await freePort(), await freePort()];
  const plan = {
    nodeId: `${region}-${nodes++}`,
    region,
    host: '127.0.0.1',
    opsHost: '127.0.0.1',
    port,
    opsPort,
  };
  const started: NodeProcess = startNodeProcess(plan, nodeEnvironment(plan, settings, process.env), () => {});
  closers.push(() => started.stop(STOP_MS));
  await started.ready();
  return new URL(pageUrl(plan)).origin;
}

async function person(url: string): Promise<PlainClient> {
  const client = await connect(url);
  closers.push(async () => client.close());
  return client;
}

import { setTimeout as sleep } from 'node:timers/promises';

import { type BenchCluster, startCluster } from './cluster.ts';
import type { Contestant } from './contestants/index.ts';
import type { Seat } from './generator/seat.ts';
import { Traffic } from './generator/traffic.ts';
import type { Sizes } from './plan.ts';
import { cpuUs, rssBytes } from './processes.ts';
import { type Bystander, type Cost, measureWindow, watchIdle } from './window.ts';

/** One part of a contestant's round: figures by name, and what spoils them. */
export interface Outcome {
  readonly figures: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

export const PART_NAMES = ['pairs', 'crowd', 'storm', 'wide', 'widest'] as const;
export type PartName = (typeof PART_NAMES)[number];

/** Pub/sub subscriptions that a join began are there by then. */
const SETTLE_MS = 300;
const DRAIN_MS = 10_000;
const POLL_MS = 20;
const JOINS_AT_ONCE = 32;
const MESH_PEERS = 20;
const WIDE_NODES = 4;
const WIDEST_NODES = 8;

export const PARTS: Readonly<Record<PartName, (contestant: Contestant, sizes: Sizes) => Promise<Outcome>>> = {
  /** Pairs over two nodes, first as fast as it goes, then at a fixed rate, while a third node hosts nobody. */
  pairs: (contestant, sizes) =>
    within(contestant, contestant.hasRedis ? 3 : 1, async (cluster) => {
      const traffic = new Traffic(await seatPairs(cluster, sizes.pairs, contestant.hasRedis ? 2 : 1));
      const third = cluster.nodes[2];
      const bystander = third === undefined ? undefined : await watchIdle(third, sizes.windowMs);
      traffic.saturate(sizes.underWay);
      await sleep(sizes.warmMs);
      const busy = await measureWindow(cluster, traffic, sizes.windowMs, bystander);
      await drained(traffic);
      const fixed = await atFixedRate(cluster, traffic, sizes, bystander);
      return {
        figures: {
          ...costs('saturation', busy),
          ...costs('fixed', fixed.cost),
          ...fixed.times,
          ...(busy.bystanderUs === undefined || busy.bystanderBytes === undefined
            ? {}
            : { bystanderUs: busy.bystanderUs, bystanderBytes: busy.bystanderBytes }),
          sent: traffic.sent,
          delivered: traffic.delivered,
        },
        faults: faultsOf(traffic),
      };
    }),

  /** Many join rooms of two, a few at a time, and then stay and say nothing. */
  crowd: (contestant, sizes) =>
    within(contestant, hostsOf(contestant), async (cluster) => {
      await joinMany(cluster, sizes.early, 'early');
      await sleep(sizes.quietMs);
      const memory = () => cluster.nodes.reduce((sum, { pid }) => sum + rssBytes(pid), 0);
      const before = memory();
      const cpu = () => cluster.nodes.reduce((sum, { pid }) => sum + cpuUs(pid), 0);
      const [sinceMs, sinceUs] = [performance.now(), cpu()];
      const seats = await joinMany(cluster, sizes.crowd, 'crowd');
      const [seconds, joinsUs] = [(performance.now() - sinceMs) / 1_000, cpu() - sinceUs];
      await sleep(sizes.quietMs);
      return {
        figures: {
          joinsPerSecond: sizes.crowd / seconds,
          joinUs: joinsUs / sizes.crowd,
          idleBytes: (memory() - before) / sizes.crowd,
        },
        faults: failuresOf(seats),
      };
    }),

  /** All come at the same moment. Whoever is told to come back later does. */
  storm: (contestant, sizes) =>
    within(contestant, hostsOf(contestant), async (cluster) => {
      await joinMany(cluster, sizes.early, 'early');
      const sinceMs = performance.now();
      const joins = await Promise.allSettled(
        Array.from({ length: sizes.storm }, (_, n) =>
          cluster.join(n % cluster.nodes.length, `storm${n >> 1}`),
        ),
      );
      const stormS = (performance.now() - sinceMs) / 1_000;
      const seats = joins.flatMap((join) => (join.status === 'fulfilled' ? [join.value] : []));
      const triesMax = Math.max(0, ...seats.map((seat) => seat.tries));
      return {
        figures: { stormS, stormFailed: sizes.storm - seats.length, stormTriesMax: triesMax },
        faults: failuresOf(seats),
      };
    }),

  /** The fixed rate on four nodes: between pairs, and within a room of twenty who all signal each other. */
  wide: (contestant, sizes) =>
    within(contestant, contestant.hasRedis ? WIDE_NODES : 1, async (cluster) => {
      const { length } = cluster.nodes;
      const pairs = await seatPairs(cluster, sizes.pairs, length);
      const members: Seat[] = [];
      for (let n = 0; n < MESH_PEERS; n += 1) members.push(await cluster.join(n % length, 'mesh'));
      const mesh = members.flatMap((a, n) => members.slice(n + 1).map((b) => [a, b] as const));
      await sleep(SETTLE_MS);
      const pairTraffic = new Traffic(pairs);
      const { cost: ofPairs } = await atFixedRate(cluster, pairTraffic, sizes);
      const meshTraffic = new Traffic(mesh);
      const { cost: ofMesh } = await atFixedRate(cluster, meshTraffic, sizes);
      return {
        figures: { wideUs: sumUs(ofPairs), meshUs: sumUs(ofMesh) },
        faults: [...faultsOf(pairTraffic), ...faultsOf(meshTraffic)],
      };
    }),

  /** The fixed rate on eight nodes. */
  widest: (contestant, sizes) =>
    within(contestant, contestant.hasRedis ? WIDEST_NODES : 1, async (cluster) => {
      const traffic = new Traffic(await seatPairs(cluster, sizes.pairs, cluster.nodes.length));
      const { cost } = await atFixedRate(cluster, traffic, sizes);
      return { figures: { widestUs: sumUs(cost) }, faults: faultsOf(traffic) };
    }),
};

async function within(
  contestant: Contestant,
  nodes: number,
  work: (cluster: BenchCluster) => Promise<Outcome>,
): Promise<Outcome> {
  const cluster = await startCluster(contestant, nodes);
  try {
    return await work(cluster);
  } finally {
    await cluster.stop();
  }
}

function hostsOf(contestant: Contestant): number {
  return contestant.hasRedis ? 2 : 1;
}

/** Each pair's two are on different nodes, where there are several. */
export async function seatPairs(
  cluster: BenchCluster,
  count: number,
  hosts: number,
): Promise<(readonly [Seat, Seat])[]> {
  const seats = await joinMany(cluster, 2 * count, 'pair', hosts);
  await sleep(SETTLE_MS);
  return Array.from({ length: count }, (_, n) => [seats[2 * n] as Seat, seats[2 * n + 1] as Seat] as const);
}

/** Joins rooms of two, a few clients at a time. */
async function joinMany(
  cluster: BenchCluster,
  count: number,
  prefix: string,
  hosts = cluster.nodes.length,
): Promise<Seat[]> {
  const seats: Seat[] = [];
  let next = 0;
  const joinOn = async () => {
    while (next < count) {
      const n = next;
      next += 1;
      // Pairs begin on every node in turn.
      const node = ((n >> 1) + (n % 2)) % hosts;
      seats[n] = await cluster.join(node, `${prefix}${n >> 1}`);
    }
  };
  await Promise.all(Array.from({ length: JOINS_AT_ONCE }, joinOn));
  return seats;
}

async function atFixedRate(cluster: BenchCluster, traffic: Traffic, sizes: Sizes, bystander?: Bystander) {
  traffic.openLoop(sizes.rate);
  await sleep(sizes.warmMs);
  traffic.clearTimes();
  const cost = await measureWindow(cluster, traffic, sizes.windowMs, bystander);
  const at = (percent: number) => traffic.latency.getValueAtPercentile(percent);
  const times = {
    fixedP50Us: at(50),
    fixedP95Us: at(95),
    fixedP99Us: at(99),
    latenessP50Us: traffic.lateness.getValueAtPercentile(50),
    latenessP99Us: traffic.lateness.getValueAtPercentile(99),
  };
  await drained(traffic);
  return { cost, times };
}

/** Stops, and waits until everything that was sent is there, or can no longer be hoped for. */
export async function drained(traffic: Traffic): Promise<void> {
  await traffic.stop();
  const deadline = performance.now() + DRAIN_MS;
  while (traffic.delivered < traffic.sent && performance.now() < deadline) await sleep(POLL_MS);
  await sleep(SETTLE_MS);
}

function costs(prefix: string, cost: Cost): Record<string, number> {
  return {
    [`${prefix}PerSecond`]: cost.perSecond,
    [`${prefix}NodesUs`]: cost.nodesUs,
    [`${prefix}RedisUs`]: cost.redisUs,
    [`${prefix}Us`]: sumUs(cost),
    [`${prefix}GeneratorUs`]: cost.generatorUs,
    [`${prefix}GeneratorShare`]: cost.generatorShare,
  };
}

function sumUs({ nodesUs, redisUs }: Cost): number {
  return nodesUs + redisUs;
}

/** What spoils a row: a message that did not come once and in order, a refusal, a connection that ended. */
function faultsOf(traffic: Traffic): string[] {
  const lost = traffic.sent - traffic.delivered;
  return [
    ...(lost === 0 ? [] : [`${lost} of ${traffic.sent} messages lost`]),
    ...(traffic.misdelivered === 0
      ? []
      : [`${traffic.misdelivered} messages doubled, overtaken or misrouted`]),
    ...failuresOf(traffic.seats),
  ];
}

function failuresOf(seats: readonly Seat[]): string[] {
  const all = seats.flatMap(({ failures }) => failures);
  return [...new Set(all)].map((why) => `${all.filter((each) => each === why).length} × ${why}`);
}

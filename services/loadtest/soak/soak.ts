import { type ClusterUnderTest, startClusterUnderTest } from '../cluster-under-test.ts';
import { parseOptions as parseLoadOptions } from '../load/options.ts';
import type { Progress, Unjudged } from '../load/report/index.ts';
import { run } from '../load/run.ts';
import type { RedisUnderTest } from '../redis-under-test.ts';
import { type Leftovers, untilEmpty } from './leftovers.ts';
import type { SoakOptions } from './options.ts';
import { type Allowance, lowsOf, type Reading, type Trend, trendOf } from './trends.ts';

export interface SoakReport {
  readonly options: SoakOptions;
  readonly load: Unjudged;
  readonly trends: readonly Trend[];
  /** Why some of them are not judged. */
  readonly unjudged: readonly string[];
  readonly leftovers: Leftovers;
  readonly crashes: readonly string[];
  readonly misses: readonly string[];
}

const RESUME_WINDOW_MS = 30_000;
/** After the last one left a room: its tombstone, and then some. */
const FORGOTTEN_WITHIN_MS = RESUME_WINDOW_MS + 600_000 + 30_000;
const SAMPLE_MS = 5_000;
/** Tombstones gather for ten minutes; the second half must begin after that. */
const KEYS_MINUTES_MIN = 25;
const MIB = 1_048_576;

const NODE_FIGURES: readonly { metric: string; what: string; unit: string; allowance: Allowance }[] = [
  {
    metric: 'signaling_process_heap_used_bytes',
    what: 'heap',
    unit: 'bytes',
    allowance: { share: 0.03, least: 2 * MIB },
  },
  {
    metric: 'signaling_process_resident_memory_bytes',
    what: 'RSS',
    unit: 'bytes',
    allowance: { share: 0.03, least: 4 * MIB },
  },
  {
    metric: 'signaling_process_open_files',
    what: 'open files',
    unit: 'files',
    allowance: { share: 0.02, least: 5 },
  },
];
const KEYS: Allowance = { share: 0.03, least: 50 };
const REDIS_MEMORY: Allowance = { share: 0.03, least: MIB };

/** Load on a cluster of its own, what grows meanwhile, and what is left behind. Leaves nothing running. */
export async function soak(
  options: SoakOptions,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<SoakReport> {
  const cluster = await startClusterUnderTest({
    nodes: 2,
    redis: 'single',
    hasSilentWays: false,
    resumeWindowMs: RESUME_WINDOW_MS,
    logLevel: 'warn',
  });
  try {
    return await underLoad(options, cluster, say, signal);
  } finally {
    await cluster.stop();
  }
}

async function underLoad(
  options: SoakOptions,
  cluster: ClusterUnderTest,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<SoakReport> {
  const redis = await cluster.redis();
  const samples = sampleRedis(redis);
  const load = await run(loadOptions(options, cluster), watcher(options, say), signal).finally(samples.stop);
  say('all have left; waiting until Redis has forgotten them…');
  const leftovers = await untilEmpty(redis, FORGOTTEN_WITHIN_MS, signal);
  const trends = [...nodeTrends(load), ...samples.trends()];
  const areKeysJudged = options.minutes >= KEYS_MINUTES_MIN;
  const judged = trends.filter(({ what }) => areKeysJudged || !what.startsWith('Redis'));
  return {
    options,
    load,
    trends,
    unjudged: trends.filter((trend) => !judged.includes(trend)).map(({ what }) => what),
    leftovers,
    crashes: cluster.crashes,
    misses: missesOf(load, judged, leftovers, cluster.crashes),
  };
}

function loadOptions(
  { minutes, rate, connections, churnPerS, seed }: SoakOptions,
  { nodes }: ClusterUnderTest,
) {
  const args = [
    'soak',
    ...nodes.flatMap(({ id, endpoint, opsUrl }) => [
      '--url',
      `${id.split('-')[0]}/${id}=${endpoint}`,
      '--metrics',
      `${id}=${opsUrl}/metrics`,
    ]),
    ...['--duration', `${minutes}m`, '--rate', String(rate), '--connections', String(connections)],
    ...['--churn', String(churnPerS), '--seed', String(seed), '--workers', '1'],
  ];
  return parseLoadOptions(args, 'soak');
}

/** A line a minute: a soak is watched by logs. */
function watcher({ minutes }: SoakOptions, say: (line: string) => void) {
  let told = 0;
  return {
    say,
    show: ({ phase, elapsedS, connected, ratePerS, p99Ms, lost }: Progress) => {
      const minute = Math.floor(elapsedS / 60);
      if (minute <= told) return;
      told = minute;
      const relay = p99Ms === undefined ? '' : `, relay p99 ${p99Ms.toFixed(0)} ms`;
      say(
        `${minute} of ${minutes} min, ${phase}: ${connected} connected, ${Math.round(ratePerS)} signals/s${relay}, ${lost} lost`,
      );
    },
  };
}

function sampleRedis(redis: RedisUnderTest) {
  const keys: Reading[] = [];
  const bytes: Reading[] = [];
  const startMs = performance.now();
  const timer = setInterval(async () => {
    const atS = (performance.now() - startMs) / 1_000;
    try {
      keys.push({ atS, value: Number(await redis.ask('DBSIZE')) });
      const used = /^used_memory:(\d+)/m.exec(await redis.ask('INFO', 'memory'))?.[1];
      bytes.push({ atS, value: Number(used) });
    } catch {
      // One that does not answer in time leaves a gap; the load finds out what that did.
    }
  }, SAMPLE_MS);
  return {
    stop: () => clearInterval(timer),
    trends: () => [
      trendOf({ what: 'Redis keys', unit: 'keys', readings: keys }, KEYS),
      trendOf({ what: 'Redis memory', unit: 'bytes', readings: bytes }, REDIS_MEMORY),
    ],
  };
}

/** As the nodes tell, a reading every few seconds; of memory the lowest ones. */
function nodeTrends({ server = [], phases }: Unjudged): Trend[] {
  const steady = phases.find(({ name }) => name === 'steady');
  return server.flatMap(({ node, metric, points }) => {
    const figure = NODE_FIGURES.find((each) => each.metric === metric);
    if (figure === undefined) return [];
    const during = points.filter(
      ({ atS }) => steady === undefined || (atS >= steady.fromS && atS <= (steady.toS ?? atS)),
    );
    const readings = figure.unit === 'bytes' ? lowsOf(during) : during;
    return [trendOf({ what: `${figure.what} of ${node}`, unit: figure.unit, readings }, figure.allowance)];
  });
}

function missesOf(
  { signals, sessions }: Unjudged,
  trends: readonly Trend[],
  leftovers: Leftovers,
  crashes: readonly string[],
): string[] {
  const broken = (['lost', 'doubled', 'reordered', 'misrouted'] as const).filter((what) => signals[what] > 0);
  return [
    ...crashes,
    ...broken.map((what) => `${signals[what]} signals ${what}`),
    ...(sessions.resumed === 0 ? ['nobody resumed'] : []),
    ...trends
      .filter(({ isFlat }) => !isFlat)
      .map((trend) => `${trend.what} ${trend.perHour === undefined ? 'has too few readings' : 'grows'}`),
    ...(leftovers.keys.length === 0
      ? []
      : [
          `${leftovers.keys.length} keys left after ${leftovers.afterS} s: ${leftovers.keys.slice(0, 5).join(', ')}`,
        ]),
  ];
}

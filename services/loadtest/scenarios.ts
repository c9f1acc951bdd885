import { FAULT_KINDS, type Fault, type FaultKind, planFaults, planRoll } from './schedule.ts';

/** What is done to a cluster under traffic, and what must hold afterwards. */
export interface Scenario {
  readonly text: string;
  readonly kinds: readonly FaultKind[];
  /** From the beginning of one fault to the beginning of the next, in milliseconds. */
  readonly everyMs: number;
  readonly redis: 'single' | 'sentinel';
  readonly limits: Limits;
}

/** What a run of this scenario may show. Times in milliseconds. */
export interface Limits {
  /**
   * What shows that the cluster came through: sessions resumed, or requests that had to wait were accepted later, or
   * (`noticed`) that or a resync. `none`: nothing is done to it.
   */
  readonly proof: 'resumed' | 'served-again' | 'noticed' | 'none';
  /** Redis may lose data: what is lost then must be named, never silent. */
  readonly mayNameLoss: boolean;
  /** Redis and a node die together: sessions may be over before their time, where no living node hosted their room. */
  readonly mayExpireEarly: boolean;
  /** No connection may be lost but those that the faults cut. */
  readonly isOneStorm?: true;
  /** From the fault until the session is resumed. */
  readonly resumeP99MsMax?: number;
  /** Each client's longest time from when a request was to be sent until it was accepted, over all clients. */
  readonly gapP99MsMax?: number;
  /** Of the nodes that survive. */
  readonly loopDelayP99MsMax?: number;
}

const KEEPS_DATA = { mayNameLoss: false, mayExpireEarly: false } as const;
const LOSES_DATA = { mayNameLoss: true, mayExpireEarly: false } as const;

export const SCENARIOS = {
  calm: {
    text: 'traffic without faults',
    kinds: [],
    everyMs: 0,
    redis: 'single',
    limits: { proof: 'none', ...KEEPS_DATA },
  },
  kill: {
    text: 'kill -9 of a random node every 5 s',
    kinds: ['kill'],
    everyMs: 5_000,
    redis: 'single',
    limits: { proof: 'resumed', ...KEEPS_DATA, resumeP99MsMax: 1_500 },
  },
  hang: {
    text: 'SIGSTOP of a random node for 8 to 12 s',
    kinds: ['hang'],
    everyMs: 15_000,
    redis: 'single',
    limits: { proof: 'resumed', ...KEEPS_DATA },
  },
  roll: {
    text: 'SIGTERM to each node in turn (drain), started again',
    kinds: ['terminate'],
    everyMs: 0,
    redis: 'single',
    limits: { proof: 'resumed', ...KEEPS_DATA, gapP99MsMax: 1_000 },
  },
  'redis-empty': {
    text: 'Redis killed and started again without its data',
    kinds: ['redis-empty'],
    everyMs: 15_000,
    redis: 'single',
    limits: { proof: 'noticed', ...LOSES_DATA },
  },
  'redis-restart': {
    text: 'Redis killed and started again with its data',
    kinds: ['redis-restart'],
    everyMs: 10_000,
    redis: 'single',
    limits: { proof: 'served-again', ...KEEPS_DATA },
  },
  'redis-pause': {
    text: 'Redis frozen for 3 to 15 s',
    kinds: ['redis-pause'],
    everyMs: 10_000,
    redis: 'single',
    limits: { proof: 'served-again', ...KEEPS_DATA },
  },
  'redis-stale': {
    text: 'Redis killed and started again from an older file',
    kinds: ['redis-stale'],
    everyMs: 15_000,
    redis: 'single',
    limits: { proof: 'noticed', ...LOSES_DATA },
  },
  flush: {
    text: 'FLUSHALL on the live Redis',
    kinds: ['flush'],
    everyMs: 15_000,
    redis: 'single',
    limits: { proof: 'noticed', ...LOSES_DATA },
  },
  sentinel: {
    text: 'the Redis master killed, its replica promoted by Sentinel',
    kinds: ['sentinel-failover'],
    everyMs: 25_000,
    redis: 'sentinel',
    limits: { proof: 'served-again', ...LOSES_DATA },
  },
  blackhole: {
    text: "a node's way to Redis, or the clients' way to a node, silent for 8 to 12 s",
    kinds: ['cut-redis', 'cut-clients'],
    everyMs: 15_000,
    redis: 'single',
    limits: { proof: 'resumed', ...KEEPS_DATA },
  },
  together: {
    text: 'a node killed, and Redis with all its data in the same moment',
    kinds: ['kill-with-redis'],
    everyMs: 20_000,
    redis: 'single',
    limits: { proof: 'resumed', mayNameLoss: true, mayExpireEarly: true },
  },
  mixed: {
    text: 'all of these in turn, but Sentinel',
    kinds: FAULT_KINDS.filter((kind) => kind !== 'sentinel-failover'),
    everyMs: 8_000,
    redis: 'single',
    limits: { proof: 'resumed', mayNameLoss: true, mayExpireEarly: true },
  },
  storm: {
    text: 'a node with all sessions of the run on it is killed at once',
    kinds: ['kill'],
    everyMs: 0,
    redis: 'single',
    limits: { proof: 'resumed', ...KEEPS_DATA, isOneStorm: true, loopDelayP99MsMax: 250 },
  },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;
export const SCENARIO_NAMES = Object.keys(SCENARIOS) as ScenarioName[];

/** The faults of a run of so long. */
export function faultsOf(name: ScenarioName, seed: number, durationMs: number, nodes: number): Fault[] {
  const { kinds, everyMs }: Scenario = SCENARIOS[name];
  if (kinds.length === 0) return [];
  if (name === 'roll') return planRoll(nodes);
  if (name === 'storm') return [{ kind: 'kill', atMs: 3_000, node: 0, lengthMs: 0 }];
  return planFaults({ kinds, seed, durationMs, nodes, everyMs });
}

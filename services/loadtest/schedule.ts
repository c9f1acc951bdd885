import { between, pick, type Random, seededRandom } from './random.ts';

export const FAULT_KINDS = [
  /** SIGKILL, and started again at once under its name and ports. */
  'kill',
  /** SIGSTOP, and SIGCONT after 8 to 12 s. */
  'hang',
  /** SIGTERM, and started again once it has ended. */
  'terminate',
  /** Killed, and started again without its data. */
  'redis-empty',
  /** Killed, and started again with its data. */
  'redis-restart',
  /** SIGSTOP for 3 to 15 s. */
  'redis-pause',
  /** Killed, and started again from an older file. */
  'redis-stale',
  /** FLUSHALL. */
  'flush',
  /** The master is killed; Sentinel promotes its replica; the former master comes back as replica. */
  'sentinel-failover',
  /** A node's way to Redis goes silent: bytes neither pass nor does anything close. */
  'cut-redis',
  /** The clients' way to a node goes silent. */
  'cut-clients',
  /** A node and Redis with all its data are killed together. */
  'kill-with-redis',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** One planned fault. */
export interface Fault {
  readonly kind: FaultKind;
  /** Milliseconds after the traffic began; later where the one before it has not healed by then. */
  readonly atMs: number;
  /** Index of the node that it hits; absent where it hits Redis alone. */
  readonly node?: number;
  /** How long it holds, where it does not heal by itself. */
  readonly lengthMs: number;
}

export interface ScheduleOptions {
  readonly kinds: readonly FaultKind[];
  readonly seed: number;
  readonly durationMs: number;
  readonly nodes: number;
  /** From the beginning of one to the beginning of the next, and at least what heals one. */
  readonly everyMs: number;
}

/** Length of each kind: from, to, in milliseconds. */
const LENGTH_MS: Partial<Record<FaultKind, readonly [number, number]>> = {
  hang: [8_000, 12_000],
  'redis-pause': [3_000, 15_000],
  'cut-redis': [8_000, 12_000],
  'cut-clients': [8_000, 12_000],
};

const HITS_NODE: ReadonlySet<FaultKind> = new Set([
  'kill',
  'hang',
  'terminate',
  'cut-redis',
  'cut-clients',
  'kill-with-redis',
]);

/** Time for the last fault's sessions to come back while there is still traffic. */
const TAIL_MS = 5_000;
/** What comes back needs as long until the next fault, so that one of three nodes at most is away. */
const REST_MS = 3_000;

/** The same faults for the same seed. Several kinds take turns, in a new order each round. */
export function planFaults(options: ScheduleOptions): Fault[] {
  const random = seededRandom(options.seed);
  const faults: Fault[] = [];
  let round: FaultKind[] = [];
  let formerNode: number | undefined;
  for (let atMs = Math.min(3_000, options.durationMs / 4); ; ) {
    if (round.length === 0) round = [...options.kinds];
    const kind = takeOne(random, round);
    const [shortest, longest] = LENGTH_MS[kind] ?? [0, 0];
    const lengthMs = Math.round(between(random, shortest, longest));
    // Nobody has come back yet to the node that was hit last.
    const nodes = Array.from({ length: options.nodes }, (_, node) => node).filter(
      (node) => node !== formerNode,
    );
    const node = HITS_NODE.has(kind) && nodes.length > 0 ? pick(random, nodes) : undefined;
    if (atMs + lengthMs + TAIL_MS > options.durationMs && faults.length > 0) return faults;
    faults.push({ kind, atMs: Math.round(atMs), lengthMs, ...(node === undefined ? {} : { node }) });
    if (node !== undefined) formerNode = node;
    atMs += Math.max(options.everyMs, lengthMs === 0 ? 0 : lengthMs + REST_MS);
    if (atMs + TAIL_MS > options.durationMs) return faults;
  }
}

/** Each node in turn, as a deployment does it; each waits until the one before is ready again. */
export function planRoll(nodes: number): Fault[] {
  return Array.from(
    { length: nodes },
    (_, node) => ({ kind: 'terminate', atMs: 3_000, node, lengthMs: 0 }) as const,
  );
}

function takeOne<T>(random: Random, list: T[]): T {
  return list.splice(Math.floor(random() * list.length), 1)[0] as T;
}

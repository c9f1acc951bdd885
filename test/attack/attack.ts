import type { Siege } from './siege/siege.ts';

/** One way to do harm, and what a cluster must look like under it. */
export interface Attack {
  /** The row of docs/reliability.md; what follows a dash is another one of its kind. */
  readonly id: string;
  /** What the attackers do. */
  readonly title: string;
  /** `open`: AUTH=open, where a client needs no token. Default: AUTH=required, in production. */
  readonly auth?: 'open';
  /** Of the nodes, in place of the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
  /** How many files a node may hold open. */
  readonly filesMax?: number;
  /** It takes so long to show, whatever `--seconds` says. */
  readonly secondsMin?: number;
  readonly bars?: Partial<Bars>;
  /** Runs in the attackers' process until `siege.isOver`. What it throws ends the attack, and is reported. */
  run(siege: Siege): Promise<void>;
}

/** What must hold under an attack. */
export interface Bars {
  /** Honest p99 under attack, to the calm one; below `p99FloorMs` it is noise. */
  readonly p99RatioMax: number;
  readonly p99FloorMs: number;
  /** In place of the ratio, for joins. */
  readonly joinP99MsMax: number | undefined;
  /** Honest requests and handshakes refused, unanswered or cut off. */
  readonly refusedMax: number;
  /** What a node, and Redis, may take more than before the attack, and keys that are left. */
  readonly nodeGrowthBytesMax: number;
  readonly redisGrowthBytesMax: number;
  readonly redisKeysMax: number;
  /** What the attack may take of one core of a node, over its whole time. */
  readonly coreShareMax: number | undefined;
  /** The node must have closed every attacking connection in the end. */
  readonly mustClose: boolean;
}

const MIB = 1_048_576;

export const BARS: Bars = {
  p99RatioMax: 3,
  p99FloorMs: 10,
  joinP99MsMax: undefined,
  refusedMax: 0,
  nodeGrowthBytesMax: 60 * MIB,
  redisGrowthBytesMax: 60 * MIB,
  redisKeysMax: 5_000,
  coreShareMax: undefined,
  mustClose: false,
};

import type { Contestant } from './contestants/index.ts';
import type { PartName } from './parts.ts';

/** What a run does. */
export interface Plan {
  readonly rounds: number;
  readonly sizes: Sizes;
  /** What a contestant does in a round, from 0. */
  parts(round: number, contestant: Contestant): readonly PartName[];
}

/** How large each part is. */
export interface Sizes {
  /** How long each figure is measured. */
  readonly windowMs: number;
  /** How long there is traffic before. */
  readonly warmMs: number;
  readonly pairs: number;
  /** How long memory may settle before it is looked at. */
  readonly quietMs: number;
  /** Messages each pair keeps under way at saturation. */
  readonly underWay: number;
  /** Messages a second of the open loop. */
  readonly rate: number;
  /** Clients that are in before others are counted, so that what they run is compiled. */
  readonly early: number;
  /** Clients that join a few at a time. */
  readonly crowd: number;
  /** Clients that come at once. */
  readonly storm: number;
}

const LOAD = { pairs: 200, underWay: 4, rate: 2_000 };

export const FULL: Plan = {
  rounds: 5,
  sizes: {
    ...LOAD,
    windowMs: 5_000,
    warmMs: 4_000,
    quietMs: 3_000,
    early: 2_000,
    crowd: 5_000,
    storm: 3_000,
  },
  parts: (_, { hasRedis, only }) =>
    only ?? ['pairs', 'crowd', 'storm', ...(hasRedis ? (['wide', 'widest'] as const) : [])],
};

/** Shows that everything runs; its figures are rough. What needs many connections or nodes is done once, by some. */
export const QUICK: Plan = {
  rounds: 2,
  sizes: { ...LOAD, windowMs: 500, warmMs: 200, quietMs: 300, early: 200, crowd: 200, storm: 200 },
  parts: (round, { name }) => ['pairs', ...(QUICK_PARTS[name]?.[round] ?? [])],
};

/** Those whose other figures stand in a ratio. */
const QUICK_PARTS: Readonly<Record<string, readonly (readonly PartName[])[]>> = {
  fenghuo: [['crowd'], ['storm', 'wide']],
  'socket.io-sharded': [['crowd'], ['storm']],
  'socket.io-memory': [['crowd']],
};

/** A figure of Fenghuo's by another's, with what it must be and what it should come to be. */
export interface Ratio {
  readonly text: string;
  /** A contestant's name; Fenghuo itself where its own figures are compared. */
  readonly against: string;
  readonly is: 'at most' | 'at least';
  /** Undefined where nothing was promised. */
  readonly bar?: number;
  readonly goal: number;
  readonly unit?: string;
  /** Of the figures of one round; not a number where one of them is missing. */
  of(ours: Figures, theirs: Figures): number;
}

type Figures = Readonly<Record<string, number | undefined>>;

/** socket.io's adapter, as its documentation advises for new clusters. */
const STOCK = 'socket.io-sharded';

function by(name: string): Ratio['of'] {
  return (ours, theirs) => (ours[name] ?? Number.NaN) / (theirs[name] ?? Number.NaN);
}

function own(name: string, other?: string): Ratio['of'] {
  return (ours) => (ours[name] ?? Number.NaN) / (other === undefined ? 1 : (ours[other] ?? Number.NaN));
}

const atMost = (bar: number, goal: number) => ({ is: 'at most', bar, goal }) as const;

export const RATIOS: readonly Ratio[] = [
  {
    text: 'CPU per message at saturation, to socket.io in memory on one node',
    against: 'socket.io-memory',
    ...atMost(1.5, 1),
    of: by('saturationUs'),
  },
  {
    text: '… to stock redis-adapter (sharded)',
    against: STOCK,
    ...atMost(0.65, 0.45),
    of: by('saturationUs'),
  },
  { text: '… to raw ws, batched', against: 'ws-batched', ...atMost(2.4, 1.6), of: by('saturationUs') },
  {
    text: 'CPU that a message costs a node it does not concern',
    against: 'fenghuo',
    ...atMost(0.5, 0),
    unit: 'µs',
    of: own('bystanderUs'),
  },
  {
    text: 'CPU per message at 2,000/s, to stock redis-adapter',
    against: STOCK,
    ...atMost(0.9, 0.7),
    of: by('fixedUs'),
  },
  {
    text: 'latency p50 at 2,000/s, to stock redis-adapter',
    against: STOCK,
    ...atMost(0.8, 0.6),
    of: by('fixedP50Us'),
  },
  {
    text: 'latency p99 at 2,000/s, to stock redis-adapter',
    against: STOCK,
    ...atMost(1, 0.5),
    of: by('fixedP99Us'),
  },
  {
    text: 'messages/s at saturation, to stock redis-adapter',
    against: STOCK,
    is: 'at least',
    bar: 1.5,
    goal: 2.2,
    of: by('saturationPerSecond'),
  },
  {
    text: 'RSS per idle joined connection, to socket.io in memory',
    against: 'socket.io-memory',
    ...atMost(1.1, 0.8),
    of: by('idleBytes'),
  },
  {
    text: 'node CPU per join, to redis-adapter with fetchSockets',
    against: STOCK,
    ...atMost(0.8, 0.5),
    of: by('joinUs'),
  },
  {
    text: 'all at once until all have joined, to stock redis-adapter',
    against: STOCK,
    ...atMost(0.85, 0.5),
    of: by('stormS'),
  },
  {
    text: 'of those, how many never got in',
    against: 'fenghuo',
    ...atMost(0, 0),
    unit: 'clients',
    of: own('stormFailed'),
  },
  {
    text: 'room of 20 over 4 nodes: CPU per message, to pairs on the same nodes',
    against: 'fenghuo',
    ...atMost(1.5, 1.1),
    of: own('meshUs', 'wideUs'),
  },
  {
    text: 'CPU per message on 8 nodes, to 2 nodes, at the same total rate',
    against: 'fenghuo',
    is: 'at most',
    goal: 1,
    of: own('widestUs', 'fixedUs'),
  },
];

/** Of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? Number.NaN)) / 2;
}

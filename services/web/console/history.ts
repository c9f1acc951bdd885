import type { NodeReport } from './admin-api.ts';
import { byName } from './node-list.ts';

/** Five minutes at one look every two seconds. */
export const SAMPLES_MAX = 150;
/** More lines than colours that can be told apart help nobody; the rest is one line. */
export const LINES_MAX = 6;
/** A longer silence than this is a gap, not a line across it. */
const GAP_MS = 9_000;

export type Measure = 'connections' | 'messages_per_second';

export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly values: ReadonlyMap<string, Readonly<Record<Measure, number | null>>>;
}

/** The newest samples, oldest first; an empty one stands where the console was not looking. */
export function remembering(
  samples: readonly Sample[],
  at: number,
  nodes: readonly NodeReport[],
): readonly Sample[] {
  const last = samples.at(-1);
  const gap = last !== undefined && at - last.at > GAP_MS ? [{ at: last.at + 1, values: new Map() }] : [];
  const values = new Map(
    nodes.map(({ id, connections, messages_per_second }) => [id, { connections, messages_per_second }]),
  );
  return [...samples, ...gap, { at, values }].slice(-SAMPLES_MAX);
}

/** A line of a chart. No name: the sum of all nodes that have no line of their own. */
export interface Line {
  readonly node: string | undefined;
  readonly values: readonly (number | null)[];
}

/** The nodes that have lines, in the order of their names: while there are too many, those with most connections. */
export function drawnNodes(samples: readonly Sample[]): readonly string[] {
  const latest = new Map<string, number>();
  for (const { values } of samples)
    for (const [node, { connections }] of values) latest.set(node, connections ?? 0);
  const busiestFirst = [...latest].sort((a, b) => b[1] - a[1] || byName(a[0], b[0])).map(([node]) => node);
  const isCrowd = busiestFirst.length > LINES_MAX;
  return busiestFirst.slice(0, isCrowd ? LINES_MAX - 1 : LINES_MAX).sort(byName);
}

export function linesOf(samples: readonly Sample[], measure: Measure): readonly Line[] {
  const drawn = drawnNodes(samples);
  const lines: Line[] = drawn.map((node) => ({
    node,
    values: samples.map(({ values }) => values.get(node)?.[measure] ?? null),
  }));
  const others = samples.map(({ values }) => {
    const rest = [...values].filter(([node]) => !drawn.includes(node));
    return rest.length === 0 ? null : rest.reduce((sum, [, of]) => sum + (of[measure] ?? 0), 0);
  });
  return others.some((value) => value !== null) ? [...lines, { node: undefined, values: others }] : lines;
}

/** What a line says in figures, for those who do not see it; undefined for one without any. */
export function figuresOf({ values }: Line): { now: number; least: number; most: number } | undefined {
  const known = values.filter((value) => value !== null);
  const now = known.at(-1);
  return now === undefined ? undefined : { now, least: Math.min(...known), most: Math.max(...known) };
}

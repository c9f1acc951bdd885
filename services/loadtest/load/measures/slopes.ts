import type { Result } from '../report/index.ts';

type Slopes = NonNullable<Result['slopes']>;
type Series = NonNullable<Result['server']>;
type Point = Series[number]['points'][number];

const SECONDS_PER_HOUR = 3_600;
/** What a process takes while it warms up says nothing of what it leaks. */
const WARM_UP_SHARE = 0.2;
const POINTS_MIN = 30;
/** So many times its own uncertainty, and so much of the mean an hour: then it grows. */
const ERRORS_MIN = 3;
const GROWTH_MIN = 0.01;

const WATCHED: Readonly<Record<string, readonly [what: string, unit: string]>> = {
  signaling_process_resident_memory_bytes: ['memory', 'bytes'],
  signaling_process_heap_used_bytes: ['heap', 'bytes'],
  signaling_process_open_files: ['open files', 'files'],
  signaling_rooms: ['rooms', 'rooms'],
};

/** What grows in the nodes, by a straight line through the readings; empty where there are too few. */
export function slopesOf(series: Series): Slopes {
  return series.flatMap(({ node, metric, points }) => {
    const watched = WATCHED[metric];
    const slope = watched === undefined ? undefined : slopeOf(points);
    if (watched === undefined || slope === undefined) return [];
    return [{ what: `${watched[0]} of ${node}`, unit: watched[1], ...slope }];
  });
}

/** Least squares, with the standard error of the slope. The first `warmUpShare` of the readings does not count. */
export function slopeOf(
  all: readonly Point[],
  warmUpShare = WARM_UP_SHARE,
): { perHour: number; isGrowing: boolean } | undefined {
  const points = all.slice(Math.floor(all.length * warmUpShare));
  if (points.length < POINTS_MIN) return undefined;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanS = mean(points.map(({ atS }) => atS));
  const meanValue = mean(points.map(({ value }) => value));
  const spread = points.reduce((sum, { atS }) => sum + (atS - meanS) ** 2, 0);
  const slope = points.reduce((sum, { atS, value }) => sum + (atS - meanS) * (value - meanValue), 0) / spread;
  const residue = points.reduce(
    (sum, { atS, value }) => sum + (value - meanValue - slope * (atS - meanS)) ** 2,
    0,
  );
  const error = Math.sqrt(residue / (points.length - 2) / spread);
  const perHour = slope * SECONDS_PER_HOUR;
  return { perHour, isGrowing: slope > ERRORS_MIN * error && perHour > GROWTH_MIN * Math.abs(meanValue) };
}

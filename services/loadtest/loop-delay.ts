import type { NodeUnderTest } from './node-under-test.ts';

/** What a node's /metrics says of its event-loop delay. */
interface Reading {
  readonly p99Ms: number | undefined;
  /** Cumulated counts by upper bound in seconds, where it is a histogram. */
  readonly buckets: ReadonlyMap<number, number>;
}

const NAMES = ['signaling_event_loop_delay_seconds', 'nodejs_eventloop_lag_p99_seconds'];
const SCRAPE_MS = 2_000;
const SHARE = 0.99;

/**
 * Begins to watch the event loops of nodes. The result's p99 in milliseconds is that of the worst of them between now
 * and then; undefined where none tells, or its process is another one by then.
 */
export async function watchLoops(
  nodes: readonly NodeUnderTest[],
): Promise<() => Promise<number | undefined>> {
  const before = await Promise.all(
    nodes.map(async (node) => ({ node, pid: node.pid, reading: await read(node) })),
  );
  return async () => {
    const worst = await Promise.all(
      before.map(async ({ node, pid, reading }) => {
        const after = await read(node);
        if (reading === undefined || after === undefined || node.pid !== pid) return undefined;
        return after.buckets.size > 0 ? quantileMs(reading.buckets, after.buckets) : after.p99Ms;
      }),
    );
    const known = worst.filter((each) => each !== undefined);
    return known.length === 0 ? undefined : Math.max(...known);
  };
}

async function read(node: NodeUnderTest): Promise<Reading | undefined> {
  try {
    const response = await fetch(`${node.opsUrl}/metrics`, { signal: AbortSignal.timeout(SCRAPE_MS) });
    return parseLoopDelay(await response.text());
  } catch {
    return undefined;
  }
}

/** Reads a gauge, a summary or a histogram, whichever the node has. Undefined where it has none. */
export function parseLoopDelay(metrics: string): Reading | undefined {
  for (const name of NAMES) {
    const buckets = new Map<number, number>();
    let p99Ms: number | undefined;
    for (const [, suffix, labels = '', value] of metrics.matchAll(
      new RegExp(`^${name}(_bucket)?(?:\\{([^}]*)\\})? (\\S+)`, 'gm'),
    )) {
      const bound = /le="([^"]+)"/.exec(labels)?.[1];
      const quantile = /quantile="([^"]+)"/.exec(labels)?.[1];
      if (suffix !== undefined && bound !== undefined)
        buckets.set(bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound), Number(value));
      else if (quantile === undefined ? labels === '' : Number(quantile) === SHARE)
        p99Ms = Number(value) * 1_000;
    }
    if (buckets.size > 0 || p99Ms !== undefined) return { p99Ms, buckets };
  }
  return undefined;
}

/** The upper bound of the bucket that holds the p99 of what came between two readings. */
function quantileMs(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
): number | undefined {
  const total = (after.get(Number.POSITIVE_INFINITY) ?? 0) - (before.get(Number.POSITIVE_INFINITY) ?? 0);
  if (total <= 0) return undefined;
  for (const bound of [...after.keys()].sort((a, b) => a - b)) {
    if ((after.get(bound) ?? 0) - (before.get(bound) ?? 0) >= SHARE * total) return bound * 1_000;
  }
  return undefined;
}

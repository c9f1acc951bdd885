import type { Result } from '../report/index.ts';
import { readExposition } from './exposition.ts';

/** A node's operators' port. */
export interface MetricsSource {
  readonly node: string;
  /** Of `/metrics`. */
  readonly url: string;
}

const SCRAPE_MS = 2_000;
/** Shown as they are. */
const GAUGES = [
  'signaling_connections',
  'signaling_rooms',
  'signaling_process_resident_memory_bytes',
  'signaling_process_heap_used_bytes',
  'signaling_process_open_files',
  'signaling_packets_waiting',
  'signaling_redis_up',
];
/** Shown as their growth a second. */
const COUNTERS = [
  'signaling_process_cpu_seconds_total',
  'signaling_messages_total',
  'signaling_gaps_repaired_total',
  'signaling_resumes_total',
  'signaling_handshakes_refused_total',
];
const NAMES = new Set([...GAUGES, ...COUNTERS]);
const PER_SECOND = '_per_second';

interface Reading {
  readonly atS: number;
  readonly values: ReadonlyMap<string, number>;
}

type Series = NonNullable<Result['server']>;

/** What the nodes say of themselves while they are under load, one reading every few seconds. */
export class Scraper {
  readonly #sources: readonly MetricsSource[];
  readonly #readings = new Map<string, Reading[]>();
  #isBusy = false;

  constructor(sources: readonly MetricsSource[]) {
    this.#sources = sources;
    for (const { node } of sources) this.#readings.set(node, []);
  }

  /** One reading of all. A node that does not answer in time leaves a gap. */
  async read(atS: number): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    await Promise.all(
      this.#sources.map(async ({ node, url }) => {
        const values = await scrape(url);
        if (values !== undefined) this.#readings.get(node)?.push({ atS, values });
      }),
    );
    this.#isBusy = false;
  }

  /** Those of whom nothing has been read. */
  get silent(): readonly MetricsSource[] {
    return this.#sources.filter(({ node }) => this.#readings.get(node)?.length === 0);
  }

  /** The sum over all nodes of a gauge's newest value; undefined where a node has none. */
  newest(name: string): number | undefined {
    const values = [...this.#readings.values()].map((readings) => readings.at(-1)?.values.get(name));
    if (values.length === 0 || values.some((value) => value === undefined)) return undefined;
    return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  }

  series(): Series {
    return [...this.#readings].flatMap(([node, readings]) => [
      ...GAUGES.map((metric) => ({
        node,
        metric,
        points: readings.flatMap(({ atS, values }) => {
          const value = values.get(metric);
          return value === undefined ? [] : [{ atS, value }];
        }),
      })),
      ...COUNTERS.map((metric) => ({
        node,
        metric: `${metric.replace(/_total$/, '')}${PER_SECOND}`,
        points: growth(readings, metric),
      })),
    ]);
  }
}

function growth(readings: readonly Reading[], metric: string): { atS: number; value: number }[] {
  return readings.flatMap(({ atS, values }, index) => {
    const before = readings[index - 1];
    const [now, then] = [values.get(metric), before?.values.get(metric)];
    // A process that was started anew counts from zero.
    if (before === undefined || now === undefined || then === undefined || now < then) return [];
    return [{ atS, value: (now - then) / Math.max(0.001, atS - before.atS) }];
  });
}

async function scrape(url: string): Promise<Map<string, number> | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(SCRAPE_MS) });
    return response.ok ? readExposition(await response.text(), NAMES) : undefined;
  } catch {
    return undefined;
  }
}

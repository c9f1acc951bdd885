import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/**
 * The values that each label takes; a text where they cannot be listed says what they are. What comes from the network
 * is never among them.
 */
export type Labels = Readonly<Record<string, readonly string[] | string>>;

/** One metric, as docs/metrics.md tells of it. */
export interface Entry {
  readonly family: string;
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: Labels;
  /** The upper bounds of a histogram. */
  readonly buckets: readonly number[];
}

type Names<Of extends Labels> = Extract<keyof Of, string>;

/** Every metric of one node. */
export class Catalogue {
  readonly registry = new Registry();
  readonly entries: Entry[] = [];

  family(title: string): Family {
    return new Family(title, this);
  }
}

/**
 * Where a family's metrics are made, so that their labels are closed sets all of whose series are there, at zero, from the
 * start: what has not happened yet and what is not measured look different.
 */
export class Family {
  readonly #title: string;
  readonly #catalogue: Catalogue;

  constructor(title: string, catalogue: Catalogue) {
    this.#title = title;
    this.#catalogue = catalogue;
  }

  counter<Of extends Labels>(name: string, help: string, labels = {} as Of): Counter<Names<Of>> {
    const counter = new Counter({
      ...this.#enter('counter', name, help, labels),
      registers: [this.#catalogue.registry],
    });
    for (const values of combinations(labels)) counter.inc(values, 0);
    return counter;
  }

  gauge<Of extends Labels>(name: string, help: string, labels = {} as Of): Gauge<Names<Of>> {
    const gauge = new Gauge({
      ...this.#enter('gauge', name, help, labels),
      registers: [this.#catalogue.registry],
    });
    for (const values of combinations(labels)) gauge.set(values, 0);
    return gauge;
  }

  histogram<Of extends Labels>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels = {} as Of,
  ): Histogram<Names<Of>> {
    const entered = this.#enter('histogram', name, help, labels, buckets);
    const histogram = new Histogram({
      ...entered,
      buckets: [...buckets],
      registers: [this.#catalogue.registry],
    });
    for (const values of combinations(labels)) histogram.zero(values);
    return histogram;
  }

  #enter<Of extends Labels>(
    type: Entry['type'],
    name: string,
    help: string,
    labels: Of,
    buckets: readonly number[] = [],
  ) {
    this.#catalogue.entries.push({ family: this.#title, name, type, help, labels, buckets });
    return { name, help, labelNames: Object.keys(labels) as Names<Of>[] };
  }
}

/** Every combination of the values; none where some cannot be listed. */
function combinations<Of extends Labels>(labels: Of): Record<Names<Of>, string>[] {
  let all: Record<string, string>[] = [{}];
  for (const [name, values] of Object.entries(labels)) {
    const listed = typeof values === 'string' ? [] : values;
    all = all.flatMap((each) => listed.map((value) => ({ ...each, [name]: value })));
  }
  return all as Record<Names<Of>, string>[];
}

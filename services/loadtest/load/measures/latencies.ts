import type { LatencyName, Result } from '../report/index.ts';
import { TimeHistogram } from './histogram.ts';

export type EncodedTimes = Readonly<Record<string, string>>;

/** Named histograms of times; those of several workers add up. */
export class Latencies<Name extends string = LatencyName> {
  readonly #byName = new Map<Name, TimeHistogram>();

  record(name: Name, ms: number): void {
    this.#of(name).record(ms);
  }

  /** Undefined where nothing was timed under that name. */
  get(name: Name): TimeHistogram | undefined {
    return this.#byName.get(name);
  }

  get names(): Name[] {
    return [...this.#byName.keys()];
  }

  add(encoded: EncodedTimes): void {
    for (const [name, text] of Object.entries(encoded)) this.#of(name as Name).add(new TimeHistogram(text));
  }

  encode(): EncodedTimes {
    return Object.fromEntries([...this.#byName].map(([name, times]) => [name, times.encode()]));
  }

  figures(): Result['latencies'] {
    return Object.fromEntries([...this.#byName].map(([name, times]) => [name, times.figures()]));
  }

  #of(name: Name): TimeHistogram {
    let times = this.#byName.get(name);
    if (times === undefined) {
      times = new TimeHistogram();
      this.#byName.set(name, times);
    }
    return times;
  }
}

import { areUrls, inOrder, type MeasuredRegion, type Region, surveyRegions } from './region-survey.ts';

/** Addresses of one cluster's nodes, or of what stands before them; or the regions that they stand in. */
export type Entrances = string | readonly string[] | readonly Region[];

export interface RegionChoiceOptions {
  /** The addresses are asked which regions there are. */
  readonly discover?: boolean | undefined;
  /** To be preferred to the nearest region: a person's choice, say. */
  readonly region?: string | undefined;
  /** Replaces the browser's in tests. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The regions as they were measured, the one that is tried first at the head. */
  readonly onMeasured?: ((regions: readonly MeasuredRegion[]) => void) | undefined;
}

/**
 * Knows which regions there are, and which to enter. It looks before the first connection, and again before a new choice
 * where the last look was more than a minute ago. A single region is not measured.
 */
export class RegionChoice {
  readonly #from: readonly string[] | readonly Region[];
  readonly #options: RegionChoiceOptions;
  readonly #abort = new AbortController();
  #measured: readonly MeasuredRegion[] = [];
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(from: Entrances, options: RegionChoiceOptions) {
    this.#from = typeof from === 'string' ? [from] : from;
    this.#options = options;
    if (this.known.flat().length === 0) throw new TypeError('There is no endpoint to connect to.');
    if (areMeasured(this.#from)) this.#take(inOrder(this.#from, options.region));
  }

  /** Of each region its endpoints, the best region first, as far as is known. */
  get known(): readonly (readonly string[])[] {
    if (this.#measured.length > 0) return this.#measured.map(({ endpoints }) => endpoints);
    return areUrls(this.#from) ? [this.#from] : this.#from.map(({ endpoints }) => endpoints);
  }

  /** Whether another look might tell something new. */
  get isDue(): boolean {
    if (areUrls(this.#from) ? this.#options.discover !== true : this.#from.length < 2) return false;
    return performance.now() - this.#lookedAtMs > LOOK_AGAIN_AFTER_MS;
  }

  /**
   * Takes a second and a half at most for each address that is asked, and as long again. Resolves to whether it told
   * anything. Never rejects; after `stop` it never ends.
   */
  async look(): Promise<boolean> {
    const { signal } = this.#abort;
    const { region, fetch } = this.#options;
    const measured = await surveyRegions(this.#from, { region, fetch, signal }).catch(() => []);
    if (signal.aborted) await new Promise(() => {});
    // Where nobody answers one is offline oneself, perhaps, and learns no more than that.
    const isTelling = measured.length === 1 || measured.some(({ roundTripMs }) => roundTripMs !== undefined);
    if (isTelling) this.#take(measured);
    return isTelling;
  }

  stop(): void {
    this.#abort.abort();
  }

  #take(measured: readonly MeasuredRegion[]): void {
    this.#measured = measured;
    this.#lookedAtMs = performance.now();
    this.#options.onMeasured?.(measured);
  }
}

/** A network's ways change when a machine moves; a node that drains sends away very many at once. */
const LOOK_AGAIN_AFTER_MS = 60_000;

function areMeasured(
  from: readonly string[] | readonly Region[],
): from is readonly [MeasuredRegion, ...MeasuredRegion[]] {
  return from.length > 0 && !areUrls(from) && from.every((region) => 'roundTripMs' in region);
}

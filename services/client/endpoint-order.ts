/** The order in which endpoints are tried: those of the region in use in turn, then those of the other regions. */
export class EndpointOrder {
  /** The best first; of each its endpoints, the one to be tried first at the head. */
  #regions: Endpoint[][] = [];
  #inTurn: Endpoint[] = [];
  /** Where in turn the next try is. */
  #at = 0;

  constructor(regions: readonly (readonly string[])[]) {
    this.rank(regions);
  }

  /** How many there are. */
  get size(): number {
    return this.#inTurn.length;
  }

  /** There are these regions, the best first, which is in use from now on. Of a region that stays, the turns do, too. */
  rank(regions: readonly (readonly string[])[]): void {
    const known = new Map(this.#inTurn.map((endpoint) => [endpoint.url, endpoint]));
    const endpointsOf = (urls: readonly string[]) =>
      this.#regions.find((region) => isOf(region, urls)) ??
      urls.map((url) => known.get(url) ?? { url, notBeforeMs: 0 });
    this.#regions = regions.map(endpointsOf);
    this.toBest();
  }

  /** The best region is in use again. */
  toBest(): void {
    this.#use(this.#regions[0] ?? []);
  }

  isInBest(url: string): boolean {
    return this.#regions[0]?.some((each) => each.url === url) ?? false;
  }

  /** The endpoint to try now: those in turn that are to be left alone for longest come last. */
  choose(nowMs: number): Endpoint {
    const [first, ...others] = [...this.#inTurn.slice(this.#at), ...this.#inTurn.slice(0, this.#at)];
    if (first === undefined) throw new Error('There is no endpoint.');
    const waitsMs = (endpoint: Endpoint) => Math.max(0, endpoint.notBeforeMs - nowMs);
    return others.reduce((best, each) => (waitsMs(each) < waitsMs(best) ? each : best), first);
  }

  /** It could not be used: the next in turn is tried. */
  failed(url: string, notBeforeMs?: number): void {
    const index = this.#inTurn.findIndex((each) => each.url === url);
    const endpoint = this.#inTurn[index];
    if (endpoint === undefined) return;
    this.#at = (index + 1) % this.#inTurn.length;
    if (notBeforeMs !== undefined) endpoint.notBeforeMs = notBeforeMs;
  }

  /** It is of use: it, and after it its region, is tried first from now on. */
  succeeded(url: string): void {
    this.#begin(url, 0);
  }

  /** It is the last of its region to be tried again. */
  avoid(url: string): void {
    this.#begin(url, 1);
  }

  /** Its region is in use, from the endpoint so many places after it. */
  #begin(url: string, after: number): void {
    const region = this.#regions.find((endpoints) => endpoints.some((each) => each.url === url));
    if (region === undefined) return;
    const index = region.findIndex((each) => each.url === url);
    region.push(...region.splice(0, (index + after) % region.length));
    this.#use(region);
  }

  #use(region: Endpoint[]): void {
    this.#inTurn = [region, ...this.#regions.filter((each) => each !== region)].flat();
    this.#at = 0;
  }
}

function isOf(region: readonly Endpoint[], urls: readonly string[]): boolean {
  return region.length === urls.length && region.every(({ url }) => urls.includes(url));
}

export interface Endpoint {
  readonly url: string;
  /** By `performance.now`. */
  notBeforeMs: number;
}

import type { IceServer } from '@fenghuo/protocol';

/**
 * STUN and TURN servers as the nodes hand them out. TURN credentials end: their username begins with the Unix second at
 * which they do (coturn's REST scheme). Those that have lived for more than half of their time are fetched anew, before
 * they are used for anything new.
 */
export class IceServers {
  readonly #options: IceServersOptions;
  #list: readonly IceServer[] = [];
  #staleAtMs = Number.POSITIVE_INFINITY;
  #notBeforeMs = 0;
  #refresh: Promise<void> | undefined;

  constructor(options: IceServersOptions) {
    this.#options = options;
  }

  get list(): readonly IceServer[] {
    return this.#list;
  }

  take(list: readonly IceServer[]): void {
    const isNew = JSON.stringify(list) !== JSON.stringify(this.#list);
    this.#list = list;
    if (isNew) this.#staleAtMs = performance.now() + lifeOf(list) / 2;
    if (isNew) this.#options.onChange(list);
  }

  /** Undefined where the credentials are fresh. Resolves when newer ones were taken, or could not be had in time. */
  refresh(): Promise<void> | undefined {
    const now = performance.now();
    if (now < this.#staleAtMs || now < this.#notBeforeMs) return this.#refresh;
    this.#notBeforeMs = now + REFRESH_EVERY_MS;
    this.#refresh = this.#fetch()
      .then((list) => this.take(list))
      .catch(() => {}) // Those that are there may still do, or not be needed.
      .finally(() => {
        this.#refresh = undefined;
      });
    return this.#refresh;
  }

  async #fetch(): Promise<readonly IceServer[]> {
    const { endpoint, token, fetch = globalThis.fetch } = this.#options;
    const node = endpoint();
    if (node === undefined) throw new Error('There is no node to ask.');
    const bearer = token();
    const response = await fetch(new URL('/ice', node), {
      headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    const { ice_servers: list } = (await response.json()) as { ice_servers?: readonly IceServer[] };
    if (!response.ok || !Array.isArray(list)) throw new Error(`The node answered ${response.status}.`);
    return list;
  }
}

export interface IceServersOptions {
  /** The node to ask, where there is one. */
  endpoint(): string | undefined;
  token(): string | undefined;
  onChange(list: readonly IceServer[]): void;
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** A way is looked for without newer credentials rather than much later. */
const FETCH_TIMEOUT_MS = 2_000;

/** However many links are made, and whatever the clock here says. */
const REFRESH_EVERY_MS = 10_000;

/** How long the credentials last from now on; without any, for ever. */
function lifeOf(list: readonly IceServer[]): number {
  const ends = list.flatMap(({ username }) => /^\d{9,11}(?=:|$)/.exec(username ?? '') ?? []);
  return Math.max(0, Math.min(...ends.map((end) => Number(end) * 1_000 - Date.now())));
}

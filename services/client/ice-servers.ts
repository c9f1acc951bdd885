import type { IceServer } from '@fenghuo/protocol';
import { abortedWithin } from './deadline.ts';
import { addressAt } from './endpoint-url.ts';

/**
 * STUN and TURN servers as the nodes hand them out. TURN credentials end: nodes tell after how long, which counts from the
 * receipt, so that a wrong clock here keeps none that have ended. Those that have lived for more than half of their time
 * are fetched anew, before they are used for anything new.
 */
export class IceServers {
  readonly #options: IceServersOptions;
  #list: readonly IceServer[] = [];
  #life: Life | undefined;
  #notBeforeMs = 0;
  #refresh: Promise<void> | undefined;

  constructor(options: IceServersOptions) {
    this.#options = options;
  }

  get list(): readonly IceServer[] {
    return this.#list;
  }

  /** As a reply held them, just now. */
  take({ ice_servers: list, ttl_s: ttlS }: IssuedServers): void {
    if (JSON.stringify(list) === JSON.stringify(this.#list)) return;
    this.#list = list;
    this.#life = lifeOf(list, ttlS);
    this.#options.onChange(list);
  }

  /** Undefined where the credentials are fresh. Resolves when newer ones were taken, or could not be had in time. */
  refresh(): Promise<void> | undefined {
    const now = performance.now();
    if (!isPastHalf(this.#life) || now < this.#notBeforeMs) return this.#refresh;
    this.#notBeforeMs = now + REFRESH_EVERY_MS;
    this.#refresh = this.#fetch()
      .then((issued) => this.take(issued))
      .catch(() => {}) // Those that are there may still do, or not be needed.
      .finally(() => {
        this.#refresh = undefined;
      });
    return this.#refresh;
  }

  async #fetch(): Promise<IssuedServers> {
    const { endpoint, token, fetch = globalThis.fetch } = this.#options;
    const node = endpoint();
    if (node === undefined) throw new Error('There is no node to ask.');
    const bearer = token();
    const response = await fetch(addressAt(node, 'ice'), {
      headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
      signal: abortedWithin(FETCH_TIMEOUT_MS),
    });
    const issued = (await response.json()) as IssuedServers;
    if (!response.ok || !Array.isArray(issued.ice_servers))
      throw new Error(`The node answered ${response.status}.`);
    return issued;
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

interface IssuedServers {
  readonly ice_servers: readonly IceServer[];
  /** How long the credentials are good, in seconds. */
  readonly ttl_s?: number | undefined;
}

interface Life {
  readonly wholeMs: number;
  /** By `performance.now`, which does not go back and may stand still while a machine sleeps. */
  readonly sinceMs: number;
  /** By `Date.now`, which goes on meanwhile and may be set. */
  readonly sinceWallMs: number;
}

/** Undefined: they are good for ever. Nodes of before told no time, and then it is read from the username (coturn's scheme). */
function lifeOf(list: readonly IceServer[], ttlS: number | undefined): Life | undefined {
  if (list.every(({ credential }) => credential === undefined)) return undefined;
  const ends = list.flatMap(({ username }) => /^\d{9,11}(?=:|$)/.exec(username ?? '') ?? []);
  const told = ends.map((end) => Number(end) * 1_000 - Date.now());
  const wholeMs = Math.max(0, ttlS === undefined ? Math.min(...told) : ttlS * 1_000);
  return { wholeMs, sinceMs: performance.now(), sinceWallMs: Date.now() };
}

function isPastHalf(life: Life | undefined): boolean {
  if (life === undefined) return false;
  const ageMs = Math.max(performance.now() - life.sinceMs, Date.now() - life.sinceWallMs);
  return ageMs >= life.wholeMs / 2;
}

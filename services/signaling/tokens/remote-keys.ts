import { createRemoteJWKSet, errors, type JWTHeaderParameters, type RemoteJWKSet } from 'jose';

export interface RemoteKeysOptions {
  /** Each time the endpoint was asked; `problem`: the keys from before go on serving. */
  readonly onFetched: (problem: string | undefined) => void;
}

export type Found = readonly CryptoKey[] | 'unknown_key' | 'keys_unavailable';

/** What a handshake waits for at most. */
const FETCH_TIMEOUT_MS = 1_000;
/** A key that the issuer withdraws is refused here after this time. */
const REFRESH_MS = 300_000;
const RETRY_MS = 5_000;
/** Whoever makes up key ids has the endpoint asked once in this time. */
const COOLDOWN_MS = 1_000;

/**
 * The issuer's keys, from its JWKS endpoint: fetched at the start, from time to time, and when a token names a key that
 * is not among them. While the endpoint is away or slow, those that are known go on serving, however old.
 */
export class RemoteKeys {
  readonly #set: RemoteJWKSet;
  readonly #options: RemoteKeysOptions;
  #fetching: Promise<void> | undefined;
  #hasKeys = false;
  #last = { atMs: Number.NEGATIVE_INFINITY, succeeded: false };
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(url: URL, options: RemoteKeysOptions) {
    this.#options = options;
    // When to ask is decided here: jose would refuse every token once its keys are old and the endpoint is away.
    this.#set = createRemoteJWKSet(url, {
      timeoutDuration: FETCH_TIMEOUT_MS,
      cacheMaxAge: Number.POSITIVE_INFINITY,
      cooldownDuration: Number.POSITIVE_INFINITY,
    });
    void this.#fetch();
  }

  /**
   * The keys that a token's header may mean. `keys_unavailable`: there is none, and the endpoint, which may know more,
   * does not answer.
   */
  async find(header: JWTHeaderParameters): Promise<Found> {
    const known = await this.#look(header);
    return known.length > 0 ? known : this.findAnew(header);
  }

  /** The same, after the endpoint was asked once more, unless that was a moment ago. */
  async findAnew(header: JWTHeaderParameters): Promise<Found> {
    if (this.#fetching !== undefined || performance.now() - this.#last.atMs >= COOLDOWN_MS)
      await this.#fetch();
    const found = await this.#look(header);
    if (found.length > 0) return found;
    return this.#last.succeeded ? 'unknown_key' : 'keys_unavailable';
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #look(header: JWTHeaderParameters): Promise<CryptoKey[]> {
    if (!this.#hasKeys) return [];
    try {
      return [await this.#set(header)];
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return [];
      const keys: CryptoKey[] = [];
      for await (const key of error) keys.push(key);
      return keys;
    }
  }

  #fetch(): Promise<void> {
    this.#fetching ??= this.#set
      .reload()
      .then(
        () => this.#fetched(undefined),
        (error: Error) => this.#fetched(problemOf(error)),
      )
      .finally(() => {
        this.#fetching = undefined;
      });
    return this.#fetching;
  }

  #fetched(problem: string | undefined): void {
    const succeeded = problem === undefined;
    this.#last = { atMs: performance.now(), succeeded };
    this.#hasKeys ||= succeeded;
    this.#options.onFetched(problem);
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#fetch(), succeeded ? REFRESH_MS : RETRY_MS).unref();
  }
}

/** Of a fetch that failed, what made it fail: ECONNREFUSED and its like. */
function problemOf({ message, cause }: Error): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : message;
}

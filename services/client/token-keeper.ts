import { within } from './deadline.ts';
import type { SignalingError } from './signaling-error.ts';

/**
 * The token that connections carry. Where it comes from a function, a fresh one is fetched before it runs out, and
 * handed to `onFresh`, so that a session outlives its tokens. When a token ends is read from it without a check: whether
 * it is good is for nodes to say.
 */
export class TokenKeeper {
  #source: TokenSource | undefined;
  readonly #onFresh: (token: string) => Promise<unknown>;
  readonly #random: () => number;
  readonly #timeoutMs: number;
  #current: string | undefined;
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #wasRefused = false;
  #isHandingOver = false;
  #isOver = false;

  constructor(
    source: TokenSource | undefined,
    onFresh: (token: string) => Promise<unknown>,
    { random, timeoutMs = SOURCE_TIMEOUT_MS }: TokenKeeperOptions,
  ) {
    this.#source = source;
    this.#onFresh = onFresh;
    this.#random = random;
    this.#timeoutMs = timeoutMs;
    if (typeof source === 'string') this.#current = source;
  }

  /** The newest. */
  get current(): string | undefined {
    return this.#current;
  }

  /** For a new connection: asked for anew each time, where there is somebody to ask. */
  async next(): Promise<string | undefined> {
    if (typeof this.#source === 'function') this.#take(await this.#ask(this.#source, this.#wasRefused));
    return this.#current;
  }

  /** The application brings another one. */
  replace(token: string): void {
    if (typeof this.#source === 'function') this.#take(token);
    else {
      this.#source = token;
      this.#current = token;
    }
  }

  /** A node refused the token: whether another one is worth a try. It is once, until one is taken. */
  mayTryAnother({ code }: SignalingError): boolean {
    if (code !== 'unauthorized' || typeof this.#source !== 'function' || this.#wasRefused) return false;
    this.#wasRefused = true;
    return true;
  }

  /** A node took it. */
  accepted(): void {
    this.#wasRefused = false;
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#renewal);
  }

  /** Rejects where the application takes too long: a call that hangs must not hang the session. */
  #ask(source: TokenFunction, isFresh: boolean): Promise<string> {
    const asked = async () => source({ isFresh });
    return within(this.#timeoutMs, 'The token function', asked());
  }

  #take(token: string): void {
    this.#current = token;
    const lifeMs = lifeOf(token);
    if (lifeMs !== undefined) this.#renewIn(lifeMs - Math.min(EARLY_MS, lifeMs / 4));
  }

  #renewIn(delayMs: number, tries = 0): void {
    clearTimeout(this.#renewal);
    if (this.#isOver) return;
    // A longer timer would end at once.
    const isFar = delayMs > LONGEST_TIMER_MS;
    const renew = () => (isFar ? this.#renewIn(delayMs - LONGEST_TIMER_MS, tries) : void this.#renew(tries));
    this.#renewal = setTimeout(renew, Math.min(delayMs, LONGEST_TIMER_MS));
    // In Node, whoever is done need not wait for it.
    (this.#renewal as { unref?: () => void }).unref?.();
  }

  async #renew(tries: number): Promise<void> {
    // Until a fresh one is taken; the node ends the session of whoever has none in time.
    this.#renewIn(Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** tries) * (0.5 + this.#random() / 2), tries + 1);
    if (this.#isHandingOver) return; // The session waits for a connection, which brings a fresh one, too.
    this.#isHandingOver = true;
    try {
      const token = await this.#ask(this.#source as TokenFunction, true);
      if (this.#isOver || token === this.#current) return;
      await this.#onFresh(token);
      this.#take(token);
    } catch {
      // Neither the issuer's silence nor a node's refusal is the end: there is time left.
    } finally {
      this.#isHandingOver = false;
    }
  }
}

/** A JWT, or how to get one: called anew for each connection, and before one runs out. */
export type TokenSource = string | TokenFunction;

/** `isFresh`: one that was handed out before is of no use, it was refused or is about to run out. */
export type TokenFunction = (wish: { readonly isFresh: boolean }) => string | Promise<string>;

interface TokenKeeperOptions {
  readonly random: () => number;
  /** How long the application may take for a token. */
  readonly timeoutMs?: number | undefined;
}

const SOURCE_TIMEOUT_MS = 10_000;

/** How long before its end a token is renewed; a short-lived one in the last quarter of its life. */
const EARLY_MS = 60_000;
const RETRY_MS = 1_000;
const RETRY_MAX_MS = 60_000;
const LONGEST_TIMER_MS = 86_400_000;

/**
 * How much of a token's life is left, by its `exp`. Of a token that has just been handed out and seems to be over, or to
 * last longer than it was made for, the clock here is wrong, not the token.
 */
function lifeOf(token: string): number | undefined {
  const { exp, iat } = claimsOf(token);
  if (typeof exp !== 'number') return undefined;
  const leftMs = exp * 1_000 - Date.now();
  if (typeof iat !== 'number' || iat >= exp) return Math.max(0, leftMs);
  const wholeMs = (exp - iat) * 1_000;
  return leftMs <= 0 ? wholeMs : Math.min(leftMs, wholeMs);
}

function claimsOf(token: string): { exp?: unknown; iat?: unknown } {
  try {
    const payload = token.split('.')[1] ?? '';
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    return typeof claims === 'object' && claims !== null ? claims : {};
  } catch {
    return {}; // No JWT: its issuer knows when it ends.
  }
}

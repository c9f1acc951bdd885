import { retryDelayMs } from './backoff.ts';
import { EndpointOrder } from './endpoint-order.ts';
import { type Entrances, RegionChoice, type RegionChoiceOptions } from './region-choice.ts';
import {
  type ConnectionListener,
  connect as connectSocket,
  type SignalingConnection,
} from './signaling-connection.ts';
import { SignalingError } from './signaling-error.ts';
import type { TokenKeeper, TokenSource } from './token-keeper.ts';
import { onWakeUp } from './wake-up.ts';

/**
 * Chooses when and where to connect. An endpoint that fails is followed by the next one at once, those of the region in
 * use before those of the next nearest; when all of them have failed, tries are spread under a doubling cap. A node that
 * names a time is not asked before it, whatever happens; a wait of our own ends early when the page wakes up.
 */
export class Connector {
  readonly #regions: RegionChoice;
  readonly #order: EndpointOrder;
  readonly #options: ConnectorOptions;
  readonly #tokens: TokenKeeper;
  readonly #random: () => number;
  readonly #stopListening: () => void;
  /** The next try is a choice of regions, too. */
  #isFree = true;
  /** Since a connection was last of use. */
  #failures = 0;
  /** Connections in a row that did not last. */
  #brief = 0;
  #inUseSinceMs: number | undefined;
  #hurry: () => void = () => {};
  #cancel: () => void = () => {};

  constructor(entrances: Entrances, options: ConnectorOptions, tokens: TokenKeeper) {
    this.#regions = new RegionChoice(entrances, options);
    this.#order = new EndpointOrder(this.#regions.known);
    this.#options = options;
    this.#tokens = tokens;
    this.#random = options.random ?? Math.random;
    this.#stopListening = onWakeUp(() => this.#hurry());
  }

  /** One try, when its time has come. Rejects with a `SignalingError`, which counts as a failure. */
  async open(listener: ConnectionListener): Promise<Opened> {
    await this.#rest();
    if (this.#isFree && this.#regions.isDue && (await this.#regions.look()))
      this.#order.rank(this.#regions.known);
    const endpoint = this.#order.choose(performance.now());
    await this.#sleep(endpoint.notBeforeMs - performance.now());
    const { url } = endpoint;
    try {
      const token = await this.#token();
      const connect = this.#options.connect ?? connectSocket;
      return { endpoint: url, connection: await connect(url, { token, ...listener }) };
    } catch (fault) {
      const error =
        fault instanceof SignalingError ? fault : new SignalingError('unavailable', String(fault));
      this.failed(url, error);
      throw error;
    }
  }

  /** An endpoint could not be used, whether it opened or not. */
  failed(url: string, error: SignalingError): void {
    this.#failures++;
    const { retryAfterMs } = error;
    if (retryAfterMs === undefined) this.#order.failed(url);
    else this.#order.failed(url, performance.now() + retryDelayMs(0, retryAfterMs, this.#random));
  }

  /** Whether no other try could do better: another token might. */
  isFinal(error: SignalingError): boolean {
    return !this.#tokens.mayTryAnother(error);
  }

  /** A connection carries the session. */
  succeeded(url: string): void {
    this.#tokens.accepted();
    this.#inUseSinceMs = performance.now();
    this.#isFree = false;
    this.#order.succeeded(url);
  }

  /**
   * The connection that carries the session was lost, or is to be left. The next one is opened at once, unless several
   * in a row did not last: a node that takes sessions only to drop them is not to be stormed. Its endpoint stays the
   * preferred one unless it is to be avoided.
   */
  ended(url: string, isToBeAvoided: boolean): void {
    const didLast = performance.now() - (this.#inUseSinceMs ?? 0) >= LASTS_MS;
    this.#brief = didLast ? 0 : this.#brief + 1;
    this.#failures = Math.max(0, this.#brief - 1);
    if (isToBeAvoided) this.#order.avoid(url);
  }

  /** Whether there is a better region to begin in. */
  isElsewhere(url: string): boolean {
    return !this.#order.isInBest(url);
  }

  /** Where the session was makes no difference any more: the nearest region is tried first. */
  chooseAnew(): void {
    this.#isFree = true;
    this.#order.toBest();
  }

  /** Ends a wait of our own. */
  hurry(): void {
    this.#hurry();
  }

  /** A try that waits for its time never comes. */
  stop(): void {
    this.#stopListening();
    this.#regions.stop();
    this.#cancel();
  }

  /** The wait that is ours to choose. */
  async #rest(): Promise<void> {
    if (this.#failures === 0 && this.#inUseSinceMs === undefined) return;
    const rounds = Math.floor(this.#failures / this.#order.size);
    const delayMs =
      rounds === 0 ? AT_ONCE_MS * this.#random() : retryDelayMs(rounds - 1, undefined, this.#random);
    await this.#sleep(delayMs, (wake) => {
      this.#hurry = wake;
    });
    this.#hurry = () => {};
  }

  #sleep(delayMs: number, whileAsleep?: (wake: () => void) => void): Promise<void> {
    if (delayMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#cancel = () => clearTimeout(timer);
      whileAsleep?.(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async #token(): Promise<string | undefined> {
    try {
      return await this.#tokens.next();
    } catch (fault) {
      throw new SignalingError('unavailable', `There is no token: ${fault}`);
    }
  }
}

/** A lost connection is made up for at once; spread a little, since a node that dies loses all of its own together. */
const AT_ONCE_MS = 50;

/** After this time a connection has been of use. */
const LASTS_MS = 2_000;

export interface ConnectorOptions extends RegionChoiceOptions {
  /** A JWT, or how to get one: called anew for each connection, and before one runs out. */
  readonly token?: TokenSource | undefined;
  /** How long a `token` function may take; default 10 s. Then it counts as failed, and is called again with the next try. */
  readonly tokenTimeoutMs?: number | undefined;
  readonly random?: (() => number) | undefined;
  /** Replaces the socket in tests. */
  readonly connect?: typeof connectSocket | undefined;
}

export interface Opened {
  readonly connection: SignalingConnection;
  readonly endpoint: string;
}

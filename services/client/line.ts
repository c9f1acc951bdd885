import type { Events } from '@fenghuo/protocol';
import type { ServerEvent, SignalingConnection } from './signaling-connection.ts';

/**
 * A connection in the hands of a session. Its events wait while they may not be heard: until the join or resume on
 * it is answered, and while a resume elsewhere is under way.
 */
export class Line {
  connection: SignalingConnection | undefined;
  endpoint = '';
  /** What the node said of itself. */
  welcome: Events['welcome'] | undefined;
  /** Its node asked to be left. */
  isToBeLeft = false;
  /** A resume was sent elsewhere: when this connection ends as `replaced`, it was our own doing. */
  isLeft = false;
  /** How often it was asked in vain to carry the session. */
  refusals = 0;
  readonly #hear: (event: ServerEvent) => void;
  #held: ServerEvent[] | undefined = [];

  constructor(hear: (event: ServerEvent) => void) {
    this.#hear = hear;
  }

  receive(event: ServerEvent): void {
    if (event.name === 'welcome') this.welcome = event.data;
    else if (this.#held !== undefined) this.#held.push(event);
    else this.#hear(event);
  }

  /** What waits to be heard says that the session was ended, and not by a resume elsewhere. */
  get removal(): ServerEvent | undefined {
    return this.#held?.find(({ name, data }) => name === 'removed' && data.reason !== 'replaced');
  }

  hold(): void {
    this.#held ??= [];
  }

  /** The join or resume is answered. What came of the log before (of a resume whose answer was lost) comes again. */
  begin(): void {
    this.#held = this.#held?.filter(({ data }) => !('seq' in data));
    this.release();
  }

  /** The resume elsewhere has failed: what waits is heard after all, so that no seq is passed over. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held) this.#hear(event);
  }

  close(): void {
    this.#held = [];
    this.connection?.close();
  }
}

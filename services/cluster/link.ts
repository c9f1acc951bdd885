import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export const DIRECTIONS = ['there', 'back'] as const;
/** There: from who connects to the server behind the link. */
export type Direction = (typeof DIRECTIONS)[number];

export interface LinkTiming {
  /** One way. */
  readonly delayMs: number;
  /** Up to so much more, drawn anew for each piece; what was sent in order arrives in order. */
  readonly jitterMs?: number;
}

/** A long way to a server on this machine: as late as it is set to be, and silent while it is cut. */
export interface Link {
  readonly port: number;
  /** For all that is sent from now on. */
  set(timing: LinkTiming): void;
  /** Nothing passes any more, in one direction or both; nobody is told, as with a cut cable. */
  cut(...directions: readonly Direction[]): void;
  /** What was sent meanwhile passes now, as TCP sends it again. */
  mend(): void;
  stop(): Promise<void>;
}

/** Passes TCP on from a free port of 127.0.0.1 to `targetPort` there. */
export async function startLink(targetPort: number, timing: LinkTiming): Promise<Link> {
  const state: LinkState = { timing, isCut: { there: false, back: false } };
  const connections = new Set<Passage>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const target = connect({ port: targetPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const passage: Passage = {
      lanes: [new Lane(client, target, 'there', state), new Lane(target, client, 'back', state)],
      end: () => {
        client.destroy();
        target.destroy();
        connections.delete(passage);
      },
    };
    connections.add(passage);
    for (const socket of [client, target])
      socket
        .on('error', () => passage.end())
        .on('close', () => passage.lanes.every((lane) => lane.isOver) && passage.end());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const flush = () => {
    for (const { lanes } of connections) for (const lane of lanes) lane.flush();
  };
  return {
    port: (server.address() as AddressInfo).port,
    set: (next) => {
      state.timing = next;
    },
    cut(...directions) {
      for (const direction of directions.length === 0 ? DIRECTIONS : directions)
        state.isCut[direction] = true;
    },
    mend() {
      state.isCut = { there: false, back: false };
      flush();
    },
    async stop() {
      for (const passage of [...connections]) passage.end();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface LinkState {
  timing: LinkTiming;
  isCut: Record<Direction, boolean>;
}

interface Passage {
  readonly lanes: readonly [Lane, Lane];
  end(): void;
}

/** What a lane holds before its sender has to wait, as the buffers of a long way would. */
const HELD_BYTES_MAX = 4 * 1_048_576;

/** One direction of one connection. */
class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #direction: Direction;
  readonly #state: LinkState;
  /** In order; `null` is the sender's end. */
  readonly #held: { readonly piece: Buffer | null; readonly dueMs: number }[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  isOver = false;

  constructor(from: Socket, to: Socket, direction: Direction, state: LinkState) {
    this.#from = from;
    this.#to = to;
    this.#direction = direction;
    this.#state = state;
    from.on('data', (piece) => this.#take(piece)).on('end', () => this.#take(null));
    to.on('close', () => clearTimeout(this.#timer));
  }

  #take(piece: Buffer | null): void {
    const { delayMs, jitterMs = 0 } = this.#state.timing;
    const dueMs = performance.now() + delayMs + Math.random() * jitterMs;
    this.#held.push({ piece, dueMs: Math.max(dueMs, this.#held.at(-1)?.dueMs ?? 0) });
    this.#heldBytes += piece?.length ?? 0;
    if (this.#heldBytes > HELD_BYTES_MAX) this.#from.pause();
    this.flush();
  }

  /** Hands on what is due, unless the way is cut. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#state.isCut[this.#direction]) return;
    for (let [first] = this.#held; first !== undefined; [first] = this.#held) {
      const leftMs = first.dueMs - performance.now();
      // Timers ring up to a millisecond late, and never early.
      if (leftMs > 0.2) {
        this.#timer = setTimeout(() => this.flush(), Math.max(1, Math.floor(leftMs)));
        break;
      }
      this.#held.shift();
      this.#pass(first.piece);
    }
    if (this.#heldBytes <= HELD_BYTES_MAX && this.#from.isPaused()) this.#from.resume();
  }

  #pass(piece: Buffer | null): void {
    if (piece === null) {
      this.isOver = true;
      this.#to.end();
      return;
    }
    this.#heldBytes -= piece.length;
    if (!this.#to.destroyed) this.#to.write(piece);
  }
}

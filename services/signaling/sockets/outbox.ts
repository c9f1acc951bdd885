import type { Socket } from 'socket.io';

/** What a client that does not read may leave waiting in this process, and all of them together. */
const WAITING_BYTES_MAX = 8 * 1_048_576;
const ALL_WAITING_BYTES_MAX = 48 * 1_048_576;

/** Writes what fell due in one turn of the event loop: for each client once, since a write costs more than what it sends. */
export class OutgoingMail {
  readonly #waiting = new Map<Outbox, number>();
  #waitingBytes = 0;
  #outboxes: Outbox[] = [];

  /** The outbox has something to send at the end of this turn. */
  add(outbox: Outbox): void {
    if (this.#outboxes.push(outbox) === 1) setImmediate(this.#send);
  }

  /** So many bytes wait for a client that takes them too slowly; 0: none any more. */
  note(outbox: Outbox, bytes: number): void {
    this.#waitingBytes += bytes - (this.#waiting.get(outbox) ?? 0);
    if (bytes === 0) this.#waiting.delete(outbox);
    else this.#waiting.set(outbox, bytes);
    if (bytes > WAITING_BYTES_MAX) outbox.giveUp();
    while (this.#waitingBytes > ALL_WAITING_BYTES_MAX) this.#slowest().giveUp();
  }

  #slowest(): Outbox {
    const [[slowest]] = [...this.#waiting].sort(([, a], [, b]) => b - a) as [[Outbox, number]];
    return slowest;
  }

  #send = (): void => {
    const outboxes = this.#outboxes;
    this.#outboxes = [];
    for (const outbox of outboxes) outbox.flush();
  };
}

export interface OutboxOptions {
  /** What was written, and the kernel has not taken. */
  readonly bufferedBytes: () => number;
  /** Too much waits for the client; nothing is sent to it any more. */
  readonly onSlow: () => void;
}

/**
 * The frames that are due to one client, in order. While the client has not taken a write, what falls due waits here, counted.
 * What socket.io sends by itself (pings, what is for a room and may be lost) does not overtake them.
 */
export class Outbox {
  readonly #mail: OutgoingMail;
  readonly #engine: Socket['conn'];
  readonly #options: OutboxOptions;
  #due: Buffer[] = [];
  #dueBytes = 0;
  /** Packets of the engine that wait until its transport is writable, and their bytes. */
  #engineBytes = 0;
  #enginePackets = 0;
  /** Writes of which the kernel has not taken all. */
  #writes = 0;
  #isNoted = false;
  #isOver = false;
  #onTaken: (() => void)[] = [];

  constructor(mail: OutgoingMail, engine: Socket['conn'], options: OutboxOptions) {
    this.#mail = mail;
    this.#engine = engine;
    this.#options = options;
    engine.on('packetCreate', ({ data }: { readonly data?: unknown }) => this.#created(data));
    engine.on('flush', () => this.#flushed());
    engine.on('drain', () => this.#isNoted && this.#note());
  }

  put(frame: Buffer): void {
    if (this.#isOver) return;
    this.#dueBytes += frame.length;
    if (this.#due.push(frame) === 1 && this.#writes === 0) this.#mail.add(this);
    if (this.#writes > 0) this.#note();
  }

  /** Writes now what is due, unless the client has yet to take the write before. */
  flush(): void {
    if (this.#due.length > 0 && this.#writes === 0) this.#write();
  }

  /** Resolves once the client has taken all that was due, or gets nothing any more. */
  async taken(): Promise<void> {
    this.flush();
    if (this.#writes > 0 && !this.#isOver) await new Promise<void>((resolve) => this.#onTaken.push(resolve));
  }

  /** Packets that the client has not taken yet. */
  get packetsWaiting(): number {
    return this.#due.length + this.#enginePackets;
  }

  /** Hands over what is due; nothing is sent or kept after it. */
  close(): void {
    if (this.#due.length > 0) this.#write();
    this.#discard();
  }

  giveUp(): void {
    this.#discard();
    this.#options.onSlow();
  }

  #tellTaken(): void {
    for (const resolve of this.#onTaken.splice(0)) resolve();
  }

  #discard(): void {
    this.#isOver = true;
    this.#tellTaken();
    this.#due = [];
    this.#dueBytes = 0;
    this.#engineBytes = 0;
    this.#enginePackets = 0;
    this.#note();
  }

  #write(): void {
    const frames = joined(this.#due);
    this.#due = [];
    this.#dueBytes = 0;
    this.#writes += 1;
    // As socket.io's own adapter hands over frames: the data is not looked at where there is one; it tells its bytes.
    const options = { wsPreEncodedFrame: [frames] } as object;
    this.#engine.write(frames, options, () => this.#written());
  }

  #written(): void {
    this.#writes -= 1;
    if (this.#writes > 0 || this.#isOver) return;
    if (this.#due.length === 0) this.#tellTaken();
    else this.flush();
    this.#note();
  }

  /** A packet of socket.io's, or of ours: what is due goes before it. */
  #created(data: unknown): void {
    if (this.#due.length > 0) this.#write();
    const bytes = typeof data === 'string' || Buffer.isBuffer(data) ? data.length : 0;
    this.#engineBytes += bytes;
    this.#enginePackets += 1;
    // A first one is mostly taken at once.
    if (this.#engineBytes > bytes) this.#note();
  }

  /** The transport has taken all that waited in the engine. */
  #flushed(): void {
    this.#engineBytes = 0;
    this.#enginePackets = 0;
    if (this.#isNoted) this.#note();
  }

  #note(): void {
    const bytes = this.#isOver ? 0 : this.#dueBytes + this.#engineBytes + this.#options.bufferedBytes();
    this.#isNoted = bytes > 0;
    this.#mail.note(this, bytes);
  }
}

function joined(frames: Buffer[]): Buffer {
  const [only] = frames;
  return frames.length === 1 && only !== undefined ? only : Buffer.concat(frames);
}

import { setTimeout as sleep } from 'node:timers/promises';

import { type Answer, Client, Refused } from '../wire/client.ts';
import { RawSocket } from '../wire/raw-socket.ts';
import { type Signature, type SigningKeys, tokenOf } from '../wire/tokens.ts';

/** What the attackers' process is told. */
export interface SiegeTask {
  readonly attack: string;
  readonly ports: readonly number[];
  /** Undefined: the cluster is open. */
  readonly keys: SigningKeys | undefined;
  readonly seconds: number;
}

/** Something that an attack itself found out. */
export interface Check {
  readonly text: string;
  readonly isOk: boolean;
}

export interface SiegeReport {
  readonly opened: number;
  /** Of those, by the node. */
  readonly closedByNode: number;
  readonly stillOpen: number;
  /** Connections that the node did not let in, by its word. */
  readonly turnedAway: Readonly<Record<string, number>>;
  readonly sent: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Answers by `ok` or the code of the error. */
  readonly answers: Readonly<Record<string, number>>;
  readonly checks: readonly Check[];
  readonly error?: string;
}

/** Where attackers come from, unless an attack says otherwise. */
export const ATTACKER = '127.0.0.66';
/** After a connection that failed: an attacker comes back, but its own process must not spin. */
const BACK_MS = 20;
const BATCH_BYTES = 256 * 1_024;
/** Nothing goes on for ever, even if the clock were wrong. */
const TURNS_MAX = 5_000_000;

/** What attacks are made of: sockets and clients from one address, repeated until the time is over. */
export class Siege {
  readonly ports: readonly number[];
  readonly checks: Check[] = [];
  readonly seconds: number;
  readonly #keys: SigningKeys | undefined;
  readonly #untilMs: number;
  readonly #sockets = new Set<RawSocket>();
  readonly #turnedAway: Record<string, number> = {};
  readonly #answers: Record<string, number> = {};
  #opened = 0;
  #closedByNode = 0;
  #sent = 0;
  #sentBytes = 0;
  #receivedBytes = 0;
  #people = 0;
  #rooms = 0;

  constructor({ ports, keys, seconds }: SiegeTask) {
    this.ports = ports;
    this.seconds = seconds;
    this.#keys = keys;
    this.#untilMs = performance.now() + seconds * 1_000;
  }

  get isOver(): boolean {
    return performance.now() >= this.#untilMs;
  }

  get remainingMs(): number {
    return Math.max(0, this.#untilMs - performance.now());
  }

  /** A payload of the namespace's CONNECT, with a good token where one is needed. One `sub`: one user. */
  auth(claims: object = {}, alg?: Signature): string {
    return this.#keys === undefined ? '' : `{"token":"${this.token(claims, alg)}"}`;
  }

  token(claims: object = {}, alg?: Signature): string {
    if (this.#keys === undefined) return '';
    return tokenOf({ sub: 'attacker', ...claims }, this.#keys, alg);
  }

  /** A `sub` that nobody had before. */
  somebody(): { readonly sub: string } {
    this.#people += 1;
    return { sub: `attacker-${this.#people}` };
  }

  /** A room that nobody was in before. */
  newRoom(): string {
    this.#rooms += 1;
    return `room-${this.#rooms}`;
  }

  /** A TCP connection that says nothing yet. */
  tcp(from = ATTACKER, node = 0): RawSocket {
    const socket = new RawSocket({ port: this.ports[node] ?? 0, from });
    this.#keep(socket);
    return socket;
  }

  /** A WebSocket without a namespace. Throws where the node refuses. */
  async socket(from = ATTACKER): Promise<RawSocket> {
    const socket = this.tcp(from);
    await socket.open().catch((error: Error) => this.#refused(error.message));
    return socket;
  }

  /** A client that has the namespace, and no room yet. Throws a Refused. */
  async client(claims: object = {}, from = ATTACKER, node = 0): Promise<Client> {
    try {
      const client = await Client.open({ port: this.ports[node] ?? 0, from }, this.auth(claims));
      this.#keep(client.socket);
      return client;
    } catch (error) {
      return this.#refused(error instanceof Refused ? error.code : String(error));
    }
  }

  /** As `client`, in a room. Throws a Refused. */
  async member(
    room: string,
    { claims = {}, join = {}, from = ATTACKER, node = 0 }: MemberOptions = {},
  ): Promise<Member> {
    const client = await this.client(claims, from, node);
    const { ok, code, body } = await this.ask(client, 'join', { id: 1, room, ...join });
    if (ok) return { client, reply: body };
    client.socket.destroy();
    throw new Refused(code ?? 'nothing');
  }

  async ask(client: Client, name: string, payload: object): Promise<Answer> {
    this.#sent += 1;
    const answer = await client.ask(name, payload);
    this.#count(answer.ok ? 'ok' : (answer.code ?? 'nothing'));
    return answer;
  }

  /** The greatest metadata that the node takes, tried in a room of its own: `{"x":"…"}`. */
  async greatestMetadata(): Promise<object> {
    for (const length of [60_000, 30_000, 8_100, 4_000, 1_000]) {
      const metadata = { x: 'x'.repeat(length) };
      const member = await this.member(`size-${length}`, {
        claims: this.somebody(),
        join: { metadata },
      }).catch(() => undefined);
      if (member === undefined) continue;
      member.client.close();
      return metadata;
    }
    return {};
  }

  /** So many attackers at once, each again and again. One that fails comes back after a moment. */
  async lanes(count: number, turn: (lane: number) => Promise<unknown>): Promise<void> {
    const lane = async (index: number) => {
      for (let turns = 0; !this.isOver && turns < TURNS_MAX; turns += 1) {
        const isDone = await turn(index).then(
          () => true,
          () => false,
        );
        await (isDone ? nextTurn() : sleep(Math.min(BACK_MS, this.remainingMs)));
      }
    };
    await Promise.all(Array.from({ length: count }, (_, index) => lane(index)));
  }

  /** Writes batches as fast as the node takes them, until it closes the connection or the time is over. */
  async flood(socket: RawSocket, batch: (n: number) => Buffer, frames = 1): Promise<void> {
    for (let n = 0; !this.isOver && !socket.isClosed && n < TURNS_MAX; n += 1) {
      const bytes = batch(n);
      this.#sent += frames;
      this.#sentBytes += bytes.length;
      if (!socket.write(bytes)) await Promise.race([socket.drained(), this.over()]);
      // Even where all is taken at once, what comes in is to be read in between.
      else if (n % 8 === 7) await nextTurn();
    }
  }

  /** As many copies of a frame as make a good batch, for `flood`. */
  copies(frame: Buffer): { batch: () => Buffer; frames: number } {
    const frames = Math.max(1, Math.floor(BATCH_BYTES / frame.length));
    const bytes = Buffer.alloc(frame.length * frames, frame);
    return { batch: () => bytes, frames };
  }

  write(socket: RawSocket, bytes: Buffer | string, frames = 1): boolean {
    this.#sent += frames;
    this.#sentBytes += bytes.length;
    return socket.write(bytes);
  }

  /** Until the node has closed it, but no longer than so. */
  async held(socket: RawSocket, withinMs = Number.POSITIVE_INFINITY): Promise<void> {
    await Promise.race([
      socket.closed,
      sleep(Math.min(withinMs, this.remainingMs), undefined, { ref: false }),
    ]);
  }

  over(): Promise<void> {
    return sleep(this.remainingMs, undefined, { ref: false });
  }

  check(text: string, isOk: boolean): void {
    this.checks.push({ text, isOk });
  }

  /** Counts answers that come without `ask`, by the ok or the code in them. */
  countAnswers(socket: RawSocket): void {
    socket.onFrame = (_, head) => {
      const text = head.toString('latin1', 0, 200);
      if (!text.startsWith('43') && !text.startsWith('44')) return;
      this.#count(/"code":"(\w+)"/.exec(text)?.[1] ?? 'ok');
    };
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  report(error?: string): SiegeReport {
    const open = [...this.#sockets].filter((socket) => !socket.isClosed);
    return {
      opened: this.#opened,
      closedByNode: this.#closedByNode,
      stillOpen: open.length,
      turnedAway: this.#turnedAway,
      sent: this.#sent,
      sentBytes: this.#sentBytes,
      receivedBytes: open.reduce((sum, socket) => sum + socket.bytesRead, this.#receivedBytes),
      answers: this.#answers,
      checks: this.checks,
      ...(error === undefined ? {} : { error }),
    };
  }

  #keep(socket: RawSocket): void {
    this.#opened += 1;
    this.#sockets.add(socket);
    void socket.closed.then((by) => {
      if (by === 'node') this.#closedByNode += 1;
      this.#sockets.delete(socket);
      this.#receivedBytes += socket.bytesRead;
    });
  }

  #count(answer: string): void {
    this.#answers[answer] = (this.#answers[answer] ?? 0) + 1;
  }

  #refused(code: string): never {
    this.#turnedAway[code] = (this.#turnedAway[code] ?? 0) + 1;
    throw new Refused(code);
  }
}

export interface MemberOptions {
  readonly claims?: object;
  /** More of the join's payload. */
  readonly join?: object;
  readonly from?: string;
  readonly node?: number;
}

export interface Member {
  readonly client: Client;
  // biome-ignore lint/suspicious/noExplicitAny: what a node answered is read as it is
  readonly reply: any;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

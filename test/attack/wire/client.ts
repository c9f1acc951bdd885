import { setTimeout as sleep } from 'node:timers/promises';

import { RawSocket, type Way } from './raw-socket.ts';

/** An acknowledgement, or what stands for one that did not come. */
export interface Answer {
  readonly ok: boolean;
  /** `closed` and `no_answer` are this client's words, every other code is the node's. */
  readonly code?: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a node answered is read as it is
  readonly body?: any;
}

/** The node refused the handshake, or did not answer it. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const CONNECT_MS = 10_000;
const ANSWER_MS = 10_000;
const EVENT = '42';
const ACK = '43';
const CONNECTED = '40';
const REFUSED = '44';

// biome-ignore lint/suspicious/noExplicitAny: what a node sent is read as it is
export type OnEvent = (name: string, event: any) => void;

/** A client of Socket.IO 5 that asks what it is told to ask, in whatever order. It never resumes by itself. */
export class Client {
  readonly socket: RawSocket;
  onEvent: OnEvent | undefined;
  /** Requests without an answer yet. */
  unanswered = 0;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #packet = 0;
  #connected: ((code: string) => void) | undefined;

  private constructor(socket: RawSocket) {
    this.socket = socket;
    socket.onFrame = (_, head, length) => this.#read(head.toString(), head.length === length);
    void socket.closed.then(() => {
      for (const answer of [...this.#waiting.values()]) answer({ ok: false, code: 'closed' });
    });
  }

  /** Opens a WebSocket and its namespace. Throws a Refused. */
  static async open(way: Way, auth: string): Promise<Client> {
    const socket = new RawSocket(way);
    await socket.open().catch((error: Error) => {
      throw new Refused(error.message);
    });
    const client = new Client(socket);
    const connected = new Promise<string>((resolve) => {
      client.#connected = resolve;
    });
    socket.text(`${CONNECTED}${auth}`);
    const code = await Promise.race([
      connected,
      socket.closed.then(() => 'closed'),
      sleep(CONNECT_MS, 'no_answer', { ref: false }),
    ]);
    if (code === 'ok') return client;
    socket.destroy();
    throw new Refused(code);
  }

  /** Asks, and resolves with the answer; it is never rejected. */
  ask(name: string, payload: object, withinMs = ANSWER_MS): Promise<Answer> {
    const packet = ++this.#packet;
    this.unanswered += 1;
    return new Promise((resolve) => {
      const finish = (answer: Answer) => {
        if (!this.#waiting.delete(packet)) return;
        clearTimeout(timer);
        this.unanswered -= 1;
        resolve(answer);
      };
      const timer = setTimeout(() => finish({ ok: false, code: 'no_answer' }), withinMs);
      this.#waiting.set(packet, finish);
      if (this.socket.isClosed) finish({ ok: false, code: 'closed' });
      else this.socket.text(`${EVENT}${packet}${JSON.stringify([name, payload])}`);
    });
  }

  close(): void {
    this.socket.text('41');
    this.socket.destroy();
  }

  #read(text: string, isWhole: boolean): void {
    const type = text.slice(0, 2);
    if (type === ACK) this.#acknowledged(text, isWhole);
    else if (type === EVENT) {
      if (isWhole) this.onEvent?.(...(JSON.parse(text.slice(2)) as [string, unknown]));
    } else if (type === CONNECTED) this.#connected?.('ok');
    else if (type === REFUSED) {
      const { message, data } = JSON.parse(text.slice(2)) as { message: string; data?: { code: string } };
      this.#connected?.(data?.code ?? message);
    }
  }

  #acknowledged(text: string, isWhole: boolean): void {
    const list = text.indexOf('[');
    const finish = this.#waiting.get(Number(text.slice(2, list)));
    if (finish === undefined) return;
    // Of a reply that is too long to be kept, its beginning tells.
    const [body] = isWhole ? JSON.parse(text.slice(list)) : [{ ok: text.startsWith('{"ok":true', list + 1) }];
    finish({ ok: body.ok === true, code: body.error?.code, body });
  }
}

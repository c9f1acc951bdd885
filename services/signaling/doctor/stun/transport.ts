import { createSocket } from 'node:dgram';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { IceUrl } from '../../domain/ice-url.ts';
import { within } from '../finding.ts';
import {
  formatRequest,
  type Login,
  lengthOf,
  type Method,
  parseMessage,
  type StunMessage,
} from './message.ts';

/** One way to a server, from one local address. */
export interface StunTransport {
  /** Rejects with an Error in the system's words, or where nothing answers in time. */
  request(
    method: Method,
    attributes: readonly (readonly [number, Buffer])[],
    login?: Login,
  ): Promise<StunMessage>;
  close(): void;
}

const CONNECT_MS = 2_500;
const ANSWER_MS = 2_000;
/** UDP loses: a request is sent again after these times (RFC 8489, 6.2.1, cut short). */
const AGAIN_MS = [200, 600, 1_200];
const BUFFERED_MAX = 65_536;

export function openTransport(server: IceUrl): Promise<StunTransport> {
  return server.transport === 'udp' ? openUdp(server) : openStream(server);
}

/** Requests that wait for their answers, by transaction. */
class Waiting {
  readonly #waiting = new Map<
    string,
    { done: (message: StunMessage) => void; fail: (error: Error) => void }
  >();
  #failure: Error | undefined;

  answer(bytes: Buffer): void {
    const message = parseMessage(bytes);
    if (message !== undefined) this.#waiting.get(message.transaction.toString('hex'))?.done(message);
  }

  fail(error: Error): void {
    this.#failure ??= error;
    for (const { fail } of this.#waiting.values()) fail(error);
  }

  request(transaction: Buffer, send: () => void, againMs: readonly number[]): Promise<StunMessage> {
    const id = transaction.toString('hex');
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const timers = againMs.map((ms) => setTimeout(send, ms));
    const answer = new Promise<StunMessage>((done, fail) => this.#waiting.set(id, { done, fail }));
    send();
    return within(ANSWER_MS, answer).finally(() => {
      this.#waiting.delete(id);
      for (const timer of timers) clearTimeout(timer);
    });
  }
}

async function openUdp({ host, port }: IceUrl): Promise<StunTransport> {
  const waiting = new Waiting();
  const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
  socket.on('error', (error) => waiting.fail(error));
  socket.on('message', (bytes) => waiting.answer(bytes));
  try {
    await within(
      CONNECT_MS,
      new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.once('connect', resolve);
        socket.connect(port, host);
      }),
    );
  } catch (error) {
    socket.close();
    throw error;
  }
  return {
    request(method, attributes, login) {
      const { transaction, bytes } = formatRequest(method, attributes, login);
      const send = () => socket.send(bytes, (error) => error && waiting.fail(error));
      return waiting.request(transaction, send, AGAIN_MS);
    },
    close: () => socket.close(),
  };
}

async function openStream({ host, port, transport }: IceUrl): Promise<StunTransport> {
  const waiting = new Waiting();
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const isTls = transport === 'tls';
  const socket: Socket = isTls ? connectTls({ host, port, ...servername }) : connectTcp(port, host);
  socket.on('error', (error) => waiting.fail(error));
  socket.on('close', () => waiting.fail(new Error('the connection was closed')));
  let buffered = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    buffered = Buffer.concat([buffered, bytes]);
    if (buffered.length > BUFFERED_MAX) socket.destroy();
    for (
      let end = lengthOf(buffered);
      end !== undefined && buffered.length >= end;
      end = lengthOf(buffered)
    ) {
      waiting.answer(buffered.subarray(0, end));
      buffered = buffered.subarray(end);
    }
  });
  try {
    await within(
      CONNECT_MS,
      new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.once(isTls ? 'secureConnect' : 'connect', resolve);
      }),
    );
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return {
    request(method, attributes, login) {
      const { transaction, bytes } = formatRequest(method, attributes, login);
      return waiting.request(transaction, () => void socket.write(bytes), []);
    },
    close: () => socket.destroy(),
  };
}

import { createHash } from 'node:crypto';
import { connect, createServer, type TLSSocket } from 'node:tls';

import { StartFailure } from '@fenghuo/cluster';

/** Two ends that tell each other messages, in order. What comes after an end says nothing. */
export interface Link<Out, In> {
  readonly name: string;
  send(message: Out): void;
  close(): void;
  onMessage: (message: In) => void;
  /** The other end is gone, or broke the rules; not called after `close`. */
  onEnd: (why: string) => void;
}

/** One message; a result with its histograms takes some hundred kilobytes. */
const MESSAGE_BYTES_MAX = 64 * 1_048_576;
const SILENT_MS_MAX = 30_000;
const CONNECT_MS = 10_000;
const IDENTITY = 'fenghuo-load';
export const SECRET_CHARS_MIN = 16;

/**
 * TLS by a secret that both ends have (RFC 5489, ECDHE_PSK): each proves that it has it, nothing of it is sent, and what
 * is said stays between them. No certificates to make, so that a run over two machines is two commands.
 */
function tlsOptions(secret: string) {
  const psk = createHash('sha256').update(secret).digest();
  return { psk, ciphers: 'ECDHE-PSK-CHACHA20-POLY1305', maxVersion: 'TLSv1.2' as const };
}

export interface Listener {
  readonly port: number;
  close(): void;
}

/** Takes workers that know the secret. Others are refused before anything of theirs is read. */
export function listenForWorkers<Out, In>(
  port: number,
  secret: string,
  onLink: (link: Link<Out, In>) => void,
): Promise<Listener> {
  const { psk, ...options } = tlsOptions(secret);
  const server = createServer({
    ...options,
    handshakeTimeout: CONNECT_MS,
    pskCallback: (_, identity) => (identity === IDENTITY ? psk : null),
  });
  server.on('secureConnection', (socket) => onLink(new SocketLink(nameOf(socket), socket)));
  server.on('tlsClientError', () => {});
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new StartFailure(`cannot listen for workers on port ${port}: ${error.message}`)),
    );
    server.listen(port, () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        close: () => void server.close(),
      });
    });
  });
}

/** The worker's end. Rejects where nobody listens there, or the secret is another one. */
export function connectToCoordinator<Out, In>(
  host: string,
  port: number,
  secret: string,
): Promise<Link<Out, In>> {
  const { psk, ...options } = tlsOptions(secret);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      ...options,
      // The secret is what tells the other end; there is no certificate.
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk, identity: IDENTITY }),
    });
    const fail = (why: string) => {
      socket.destroy();
      reject(new StartFailure(`cannot join the run at ${host}:${port}: ${why}`));
    };
    const timer = setTimeout(() => fail('no answer; is the coordinator listening there?'), CONNECT_MS);
    const refused = (error: Error) => {
      clearTimeout(timer);
      const isSecret = /SSL|decrypt|alert/i.test(error.message);
      fail(isSecret ? 'it has another secret; give both the same --secret-file.' : error.message);
    };
    socket.once('error', refused);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', refused);
      resolve(new SocketLink(`${host}:${port}`, socket));
    });
  });
}

/** A message a line, as JSON. */
class SocketLink<Out, In> implements Link<Out, In> {
  readonly name: string;
  onMessage: (message: In) => void = () => {};
  onEnd: (why: string) => void = () => {};
  readonly #socket: TLSSocket;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isClosed = false;

  constructor(name: string, socket: TLSSocket) {
    this.name = name;
    this.#socket = socket;
    // Both ends tell something every second.
    socket.setTimeout(SILENT_MS_MAX, () => this.#end(`silent for ${SILENT_MS_MAX / 1_000} s`));
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#end(error.message));
    socket.on('close', () => this.#end('it closed the connection'));
  }

  send(message: Out): void {
    if (!this.#isClosed) this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.end();
  }

  #take(chunk: Buffer): void {
    let rest = chunk;
    for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a)) {
      const line = Buffer.concat([...this.#chunks, rest.subarray(0, end)]).toString('utf8');
      this.#chunks = [];
      this.#bytes = 0;
      rest = rest.subarray(end + 1);
      this.#hear(line);
    }
    this.#bytes += rest.length;
    if (this.#bytes > MESSAGE_BYTES_MAX) this.#end('it sent a message over the limit');
    else if (rest.length > 0) this.#chunks.push(rest);
  }

  #hear(line: string): void {
    if (this.#isClosed) return;
    let message: In;
    try {
      message = JSON.parse(line) as In;
    } catch {
      this.#end('it sent what is no JSON');
      return;
    }
    this.onMessage(message);
  }

  #end(why: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.destroy();
    this.onEnd(why);
  }
}

function nameOf(socket: TLSSocket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { eventually } from './eventually.ts';

export interface RawOptions {
  readonly headers?: Record<string, string>;
  /** The address of this machine from which it comes, of 127.0.0.0/8. */
  readonly from?: string;
}

/** A WebSocket that sends whatever packets a test writes: Engine.IO and Socket.IO by hand. */
export class RawClient {
  readonly webSocket: WebSocket;
  readonly received: string[] = [];
  /** The code of the close, once it is closed. */
  closedWith: number | undefined;

  constructor(url: string, { headers = {}, from }: RawOptions = {}) {
    const address = `${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`;
    this.webSocket = new WebSocket(address, {
      headers,
      ...(from === undefined ? {} : { localAddress: from }),
    });
    this.webSocket.on('message', (data) => void this.received.push(String(data)));
    this.webSocket.on('error', () => {});
    this.webSocket.on('close', (code) => {
      this.closedWith = code;
    });
  }

  async opened(): Promise<this> {
    await once(this.webSocket, 'open');
    return this;
  }

  /** All in one write to the socket, as a client that does not wait for answers. */
  send(...packets: readonly (string | Buffer)[]): this {
    for (const packet of packets) this.webSocket.send(packet);
    return this;
  }

  async connect(auth?: object): Promise<this> {
    this.send(`40${auth === undefined ? '' : JSON.stringify(auth)}`);
    await this.next('40');
    return this;
  }

  /** Sends a request and reads its answer. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the wire as it is
  async ask(name: string, payload: unknown, packetId = 1): Promise<any> {
    this.send(`42${packetId}${JSON.stringify([name, payload])}`);
    const ack = await this.next(`43${packetId}[`);
    return JSON.parse(ack.slice(2 + String(packetId).length))[0];
  }

  /** The first packet that begins so. */
  async next(start: string): Promise<string> {
    await eventually(() => this.received.some((packet) => packet.startsWith(start)), {
      what: `a packet ${start}…; came: ${this.received.slice(0, 5).join(' ')}, closed: ${this.closedWith}`,
    });
    return this.received.find((packet) => packet.startsWith(start)) as string;
  }

  async closed(timeoutMs = 5_000): Promise<number> {
    await eventually(() => this.closedWith !== undefined, { timeoutMs, what: 'the WebSocket closed' });
    return this.closedWith as number;
  }

  close(): void {
    this.webSocket.terminate();
  }
}

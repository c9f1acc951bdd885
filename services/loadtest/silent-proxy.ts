import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that can go silent, as a cut cable does: bytes wait, and nothing is closed or refused. */
export interface SilentProxy {
  readonly port: number;
  /** Connections that are open through it. */
  readonly connections: number;
  /** From now on nothing passes. What was on its way passes after `speak`, as TCP sends it again. */
  silence(): void;
  speak(): void;
  stop(): Promise<void>;
}

/** Passes TCP on from a free port of 127.0.0.1 to `targetPort` there, under each client's own address. */
export async function startSilentProxy(targetPort: number): Promise<SilentProxy> {
  const links = new Set<Link>();
  let isSilent = false;
  const server = createServer({ noDelay: true, pauseOnConnect: true, allowHalfOpen: true }, (client) => {
    const link = new Link(client, targetPort, () => links.delete(link));
    links.add(link);
    // Who connects while it is silent gets no answer, and is not refused either.
    if (!isSilent) link.speak();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return links.size;
    },
    silence: () => {
      isSilent = true;
      for (const link of links) link.silence();
    },
    speak: () => {
      isSilent = false;
      for (const link of links) link.speak();
    },
    stop: async () => {
      for (const link of links) link.end();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class Link {
  readonly #client: Socket;
  readonly #targetPort: number;
  readonly #onEnd: () => void;
  #target: Socket | undefined;
  #isSilent = true;
  /** One side is gone; the other is told when it may hear it. */
  #isOver = false;

  constructor(client: Socket, targetPort: number, onEnd: () => void) {
    this.#client = client;
    this.#targetPort = targetPort;
    this.#onEnd = onEnd;
    this.#watch(client);
  }

  speak(): void {
    this.#isSilent = false;
    if (this.#isOver) {
      this.end();
      return;
    }
    if (this.#target === undefined) this.#connect();
    this.#client.resume();
    this.#target?.resume();
  }

  silence(): void {
    this.#isSilent = true;
    this.#client.pause();
    this.#target?.pause();
  }

  end(): void {
    this.#client.destroy();
    this.#target?.destroy();
    this.#onEnd();
  }

  #connect(): void {
    const target = connect({
      port: this.#targetPort,
      host: '127.0.0.1',
      noDelay: true,
      ...from(this.#client),
    });
    this.#target = target;
    this.#watch(target);
    this.#client.on('data', (chunk) => void target.write(chunk));
    target.on('data', (chunk) => void this.#client.write(chunk));
  }

  #watch(socket: Socket): void {
    socket.on('error', () => {});
    const over = () => {
      this.#isOver = true;
      if (!this.#isSilent) this.end();
    };
    socket.on('end', over);
    socket.on('close', over);
  }
}

/** A client that has gone by now has no address. */
function from({ remoteAddress }: Socket): { localAddress?: string } {
  return remoteAddress === undefined ? {} : { localAddress: remoteAddress };
}

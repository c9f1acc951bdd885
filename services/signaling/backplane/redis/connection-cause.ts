import { Redis, type RedisOptions } from 'ioredis';

/** How to reach one server. */
export type ServerOptions = Pick<
  RedisOptions,
  'host' | 'port' | 'username' | 'password' | 'tls' | 'connectTimeout'
>;

/** What ioredis says of a Cluster's nodes and of Sentinels in place of why they could not be reached. */
const SAYS_NOTHING =
  /connection is closed|node is disconnected|none of startup nodes|stream isn't writeable/i;
/** Of several connections that fail at once, and of the tries that follow soon. */
const FRESH_MS = 3_000;

/**
 * Why connections to one Redis fail. Where the client does not say it, the servers that the URL names are asked directly,
 * at most once in FRESH_MS.
 */
export class ConnectionCauses {
  readonly #servers: readonly ServerOptions[];
  readonly #secrets: readonly string[];
  #last: { readonly error: Error; readonly atMs: number } | undefined;
  #asking: Promise<Error | undefined> | undefined;

  constructor(servers: readonly ServerOptions[]) {
    this.#servers = servers;
    this.#secrets = servers.flatMap(({ password }) =>
      password ? [password, encodeURIComponent(password)] : [],
    );
  }

  /** Calls back with the cause of what a client told, in words that hold no secret. */
  explain(error: Error, then: (cause: Error) => void): void {
    if (!SAYS_NOTHING.test(wordsOf(error))) then(this.#remember(error));
    else if (this.#last !== undefined && performance.now() - this.#last.atMs < FRESH_MS)
      then(this.#last.error);
    else {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined;
      });
      void this.#asking.then((cause) => then(this.#remember(cause ?? error)));
    }
  }

  #remember(error: Error): Error {
    const told = new Error(
      this.#secrets.reduce((text, secret) => text.replaceAll(secret, '…'), wordsOf(error)),
    );
    this.#last = { error: told, atMs: performance.now() };
    return told;
  }

  async #ask(): Promise<Error | undefined> {
    const causes = await Promise.all(this.#servers.map(failureOf));
    return causes.find((cause) => cause !== undefined);
  }
}

/** Undefined: the server can be reached. */
async function failureOf(server: ServerOptions): Promise<Error | undefined> {
  const probe = new Redis({ ...server, lazyConnect: true, retryStrategy: () => null });
  let heard: Error | undefined;
  probe.on('error', (error: Error) => {
    heard ??= error;
  });
  const failure = await probe.connect().then(
    () => undefined,
    (error: Error) => heard ?? error,
  );
  probe.disconnect();
  return failure;
}

interface Nested extends NodeJS.ErrnoException {
  /** Of a Cluster: what its last node said. */
  readonly lastNodeError?: Error | null;
  /** Of a name that stands for several addresses. */
  readonly errors?: readonly Error[];
}

/** What tells most of an error: the code of the system or of TLS, and the words. */
export function wordsOf(error: Error): string {
  const { lastNodeError, errors: [first] = [], code, message } = error as Nested;
  const within = lastNodeError ?? first;
  if (within !== undefined) return wordsOf(within);
  // Servers that do not know a command quote its arguments.
  const text = message.replace(/, with args beginning with.*/is, '');
  return code === undefined || text.includes(code) ? text : `${code}: ${text}`;
}

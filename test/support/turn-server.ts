import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@fenghuo/cluster';
import { eventually } from './eventually.ts';

/** A real coturn on loopback. It relays to loopback addresses, too, which no server on the Internet may. */
export interface TurnServer {
  readonly url: string;
  /** What it has logged so far. */
  log(): string;
  /** Ends it without a word; `restart` brings it back under its address, with nothing of what it had allocated. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Takes credentials that were signed with any of the secrets. */
export async function startTurnServer(...secrets: readonly string[]): Promise<TurnServer> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'fenghuo-turn-'));
  let log = '';
  const start = () => startProcess(port, dir, secrets, (text) => (log += text));
  const clear = () => rmSync(dir, { recursive: true, force: true });
  let kill = await start().catch((error: Error) => {
    clear();
    throw new Error(`${error.message}\n${log}`);
  });
  return {
    url: `turn:127.0.0.1:${port}?transport=udp`,
    log: () => log,
    kill: () => kill(),
    async restart() {
      await kill();
      kill = await start();
    },
    async stop() {
      await kill();
      clear();
    },
  };
}

/** Resolves when it listens, to what ends it. */
async function startProcess(
  port: number,
  dir: string,
  secrets: readonly string[],
  write: (text: string) => void,
): Promise<() => Promise<void>> {
  const child = spawn(
    'turnserver',
    [
      ...['-n', '--no-cli', '--no-tls', '--no-dtls', '--allow-loopback-peers', '--realm=test', '--verbose'],
      ...['-L', '127.0.0.1', '-E', '127.0.0.1', '-p', String(port)],
      ...['--min-port=50000', '--max-port=50100'],
      ...['--use-auth-secret', ...secrets.map((secret) => `--static-auth-secret=${secret}`)],
      ...['--log-file=stdout', `--pidfile=${join(dir, 'pid')}`, `--userdb=${join(dir, 'turndb')}`],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } },
  );
  let said = '';
  const hear = (text: Buffer) => {
    said += text;
    write(String(text));
  };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', hear);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  try {
    await eventually(() => /UDP listener opened on\s*:\s*127\.0\.0\.1/i.test(said), {
      what: 'coturn listens',
    });
    return kill;
  } catch (error) {
    await kill();
    throw error;
  }
}

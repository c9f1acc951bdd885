import { readFileSync } from 'node:fs';
import { availableParallelism, hostname, setPriority } from 'node:os';
import { parseArgs } from 'node:util';

import { StartFailure } from '@fenghuo/cluster';

import { type FromWorker, type ToWorker, WORKER_PROTOCOL } from './messages.ts';
import { UsageFailure } from './options.ts';
import { secretFrom } from './secret.ts';
import { Worker } from './worker.ts';
import { connectToCoordinator } from './worker-link.ts';
import { FOR_PARENT } from './worker-process.ts';

const PRIORITY = -10;

export const WORKER_HELP = `Usage: npm run load -- worker --connect HOST:PORT --secret-file FILE [--region NAME]

Works for a run that is started on another machine with --listen PORT --expect N --secret-file FILE. It takes its
orders from there, and ends when the run does. Both must hold the same secret; what they say to each other is encrypted
by it.

  --connect HOST:PORT  where the coordinator listens
  --secret-file FILE   holds the secret, at least 16 characters; the same as the coordinator's
  --region NAME        its clients keep to the targets that are labelled with this region
  --help               print this
`;

/** A worker's process, from its first word to the end of the run. Resolves when that is over. */
export async function workerMain(args: readonly string[]): Promise<void> {
  comeFirst();
  if (args[0] === FOR_PARENT) return workForParent();
  const values = parse(args);
  if (values.help) {
    process.stdout.write(WORKER_HELP);
    return;
  }
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(values.connect ?? '') ?? [];
  if (host === undefined || values['secret-file'] === undefined)
    throw new UsageFailure(['a worker needs --connect HOST:PORT and --secret-file FILE.']);
  const secret = secretFrom(values['secret-file']);
  const link = await connectToCoordinator<FromWorker, ToWorker>(host, Number(port), secret);
  await new Promise<void>((resolve, reject) => {
    const worker = new Worker((message) => link.send(message));
    link.onMessage = (message) => {
      worker.hear(message);
      if (message.type === 'end') resolve();
    };
    link.onEnd = (why) => {
      worker.stop();
      reject(new StartFailure(`the coordinator is gone: ${why}`));
    };
    link.send(hello(values.region));
  });
  link.close();
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        connect: { type: 'string' },
        'secret-file': { type: 'string' },
        region: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    // parseArgs goes on with hints that don't fit here; its first sentence names the option.
    throw new UsageFailure([String((error as Error).message).split(/\.\s|\n/)[0] ?? '']);
  }
}

function workForParent(): Promise<void> {
  const worker = new Worker((message) => void (process.connected && process.send?.(message)));
  process.send?.(hello(undefined));
  return new Promise((resolve) => {
    process.on('message', (message) => worker.hear(message as ToWorker));
    process.on('disconnect', () => {
      worker.stop();
      resolve();
    });
  });
}

function hello(region: string | undefined): FromWorker {
  return {
    type: 'hello',
    protocol: WORKER_PROTOCOL,
    host: hostname(),
    cpus: availableParallelism(),
    node: process.version,
    filesMax: filesMax(),
    ...(region === undefined ? {} : { region }),
  };
}

/** Who keeps the time should not wait for whom it times, where both share a machine; only some may ask for that. */
function comeFirst(): void {
  try {
    setPriority(PRIORITY);
  } catch {
    // Then its lag tells how late it was.
  }
}

/** How many files this process may hold open; null where the system does not tell. */
function filesMax(): number | null {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}

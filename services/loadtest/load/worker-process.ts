import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { FromWorker, ToWorker } from './messages.ts';
import type { Link } from './worker-link.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const WORDS_KEPT = 2_000;

/** A worker's one argument where it was started by a run on the same machine. */
export const FOR_PARENT = '--for-parent';

/** A worker in a process of its own on this machine, and the way to talk to it. */
export function startWorkerProcess(n: number): Link<ToWorker, FromWorker> {
  // A process group of its own: Ctrl-C reaches us alone, who then ask it for its result.
  const child = spawn(process.execPath, [MAIN, 'worker', FOR_PARENT], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  return new ProcessLink(`worker ${n}`, child);
}

class ProcessLink implements Link<ToWorker, FromWorker> {
  readonly name: string;
  onMessage: (message: FromWorker) => void = () => {};
  onEnd: (why: string) => void = () => {};
  readonly #child: ChildProcess;
  #isClosed = false;

  constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    let words = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-WORDS_KEPT);
    });
    child.on('message', (message) => {
      if (!this.#isClosed) this.onMessage(message as FromWorker);
    });
    child.once('error', (error) => this.#end(error.message));
    child.once('close', (code, signal) => {
      const cause = words.split('\n').find((line) => /Error|fatal/i.test(line)) ?? '';
      this.#end(`it ended (${signal ?? `exit code ${code}`}) ${cause}`.trim());
    });
  }

  send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  close(): void {
    this.#isClosed = true;
    // Without the channel it ends by itself.
    if (this.#child.connected) this.#child.disconnect();
  }

  #end(why: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onEnd(why);
  }
}

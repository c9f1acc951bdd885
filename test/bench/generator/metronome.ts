import { Worker } from 'node:worker_threads';

/** Beats more finely than timers, whose grain of a millisecond would hide what is measured. */
export interface Metronome {
  stop(): Promise<number>;
}

/** Sleeps outside of the event loop, where a wait may be a part of a millisecond. Posts when each beat was due. */
const PROGRAM = `
const { parentPort, workerData: beatMs } = require('node:worker_threads');
const never = new Int32Array(new SharedArrayBuffer(4));
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const startMs = nowMs();
for (let count = 1; ; count += 1) {
  const dueMs = startMs + count * beatMs;
  const waitMs = dueMs - nowMs();
  if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs);
  parentPort.postMessage(dueMs);
}
`;

/** Calls `beat` every `beatMs` with the time when it was due, of performance.now(). None is left out where it is late. */
export function startMetronome(beatMs: number, beat: (dueMs: number) => void): Metronome {
  // Threads share this clock, and not the start of performance.now().
  const offsetMs = performance.now() - Number(process.hrtime.bigint()) / 1e6;
  const worker = new Worker(PROGRAM, { eval: true, workerData: beatMs });
  worker.on('message', (dueMs: number) => beat(dueMs + offsetMs));
  return { stop: () => worker.terminate() };
}

import { Worker } from 'node:worker_threads';

/** Beats more finely than timers, whose grain of a millisecond would hide what is measured. */
export interface Metronome {
  stop(): Promise<number>;
}

/** Sleeps outside of the event loop, where a wait may be a part of a millisecond. */
const PROGRAM = `
const { parentPort, workerData: beatMs } = require('node:worker_threads');
const never = new Int32Array(new SharedArrayBuffer(4));
let next = performance.now();
for (;;) {
  next += beatMs;
  const waitMs = next - performance.now();
  if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs);
  parentPort.postMessage(0);
}
`;

/** Calls `beat` about every `beatMs`; whoever needs the exact time looks at the clock. */
export function startMetronome(beatMs: number, beat: () => void): Metronome {
  const worker = new Worker(PROGRAM, { eval: true, workerData: beatMs });
  worker.on('message', beat);
  return { stop: () => worker.terminate() };
}

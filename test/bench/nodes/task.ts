import type { NodeTask } from '../node-process.ts';

/** What this process is to do. It ends with the process that started it. */
export function readTask(): NodeTask {
  process.on('disconnect', () => process.exit());
  process.on('SIGTERM', () => process.exit());
  return JSON.parse(process.argv[2] ?? '{}') as NodeTask;
}

/** To be called once it listens. */
export function sayReady(): void {
  process.send?.('ready');
}

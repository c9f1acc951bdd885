import type { Log } from './telemetry/log.ts';

/** Does something at once, and then again and again. */
export function every(periodMs: number, action: () => Promise<void>, log: Log): NodeJS.Timeout {
  const run = () => {
    action().catch((error) => log.error({ event: 'periodic_task_failed', err: error }));
  };
  run();
  return setInterval(run, periodMs);
}

import { type OnFailed, type Task, unattended } from './backplane/tasks.ts';

/** Does something at once, and then again and again, whatever became of it. */
export function every(
  periodMs: number,
  task: Task,
  action: () => unknown,
  onFailed: OnFailed,
): NodeJS.Timeout {
  const run = () => unattended(task, onFailed, action);
  run();
  return setInterval(run, periodMs);
}

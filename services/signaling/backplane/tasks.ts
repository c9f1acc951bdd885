/** A node does these by itself: nobody waits for them. */
export const TASKS = [
  'absences',
  'adapter',
  'attest',
  'beat',
  'claims',
  'departures',
  'directory',
  'doorbell',
  'expiry',
  'feed',
  'moves',
  'operations',
  'pulse',
  'restore',
  'script',
  'sweep',
  'webhooks',
] as const;
export type Task = (typeof TASKS)[number];

/** Something threw that never should. It ends here: it is logged and counted. Never throws. */
export type OnFailed = (task: Task, error: unknown) => void;

/** Does what nobody waits for: neither a throw nor a rejection leaves it. */
export function unattended(task: Task, onFailed: OnFailed, action: () => unknown): void {
  try {
    const done = action();
    if (done instanceof Promise) done.catch((error) => onFailed(task, error));
  } catch (error) {
    onFailed(task, error);
  }
}

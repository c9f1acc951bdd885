import { setPriority } from 'node:os';

const FIRST = -10;
const LAST = 5;

/** Whoever measures should not wait for what it measures, where both share a machine. Only root may ask for that. */
export function comeFirst(): void {
  ask(0, FIRST);
}

/** Of a process just started by one who comes first. */
export function comeAsOthersDo(pid: number): void {
  ask(pid, 0);
}

/** On other machines attackers would take no processor from the nodes; here they take what is left over. */
export function comeLast(): void {
  ask(0, LAST);
}

function ask(pid: number, priority: number): void {
  try {
    setPriority(pid, priority);
  } catch {
    // Then it stays as it is, calm and under attack.
  }
}

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Linux counts processors' time in these. */
const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK']).toString());

/** What a process has used of the processors since its start, in µs; in steps of a clock tick, 10 ms as a rule. */
export function cpuUs(pid: number): number {
  const after = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(after[11]) + Number(after[12])) / TICKS_A_SECOND) * 1e6;
}

/** The memory of a process that is in RAM. */
export function rssBytes(pid: number): number {
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1_024;
}

/** What a process has read since its start, from sockets and files. */
export function bytesRead(pid: number): number {
  return Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

/** What this process started ends with it, and it with the one that started it, however that ends. */
export function endWithParent(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
  process.on('disconnect', () => process.exit(1));
}

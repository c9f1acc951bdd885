import { readdirSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import { TASKS } from '../backplane/tasks.ts';
import type { Family } from './catalogue.ts';

const DELAY_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The process itself. prom-client's own defaults are some sixty series more, and are not named after us. */
export function processMetrics(family: Family) {
  const cpu = family.counter(
    'signaling_process_cpu_seconds_total',
    'Processor time, user and system, that this process has used.',
  );
  const memory = family.gauge(
    'signaling_process_resident_memory_bytes',
    'Memory of this process that is in RAM.',
  );
  const heap = family.gauge(
    'signaling_process_heap_used_bytes',
    'Memory that JavaScript objects take, garbage included.',
  );
  const heapLimit = family.gauge(
    'signaling_process_heap_limit_bytes',
    'What JavaScript objects may take at most: beyond it the process aborts.',
  );
  const files = family.gauge(
    'signaling_process_open_files',
    'File descriptors that are open; each connection takes one. 0 where /proc does not tell.',
  );
  family
    .gauge('signaling_process_start_time_seconds', 'When this process started, since 1970.')
    .set(Math.round(performance.timeOrigin) / 1_000);
  let countedMicroseconds = 0;

  return {
    eventLoopDelay: family.histogram(
      'signaling_event_loop_delay_seconds',
      'By how much a timer that is due every 20 ms was late: what a packet waits in this process before it is looked at.',
      DELAY_SECONDS,
    ),
    tasksFailed: family.counter(
      'signaling_tasks_failed_total',
      'Times that something threw which the node does by itself, by task. It goes on; the log has the error.',
      { task: TASKS },
    ),
    /** To be called before a scrape. */
    refresh() {
      const { user, system } = process.cpuUsage();
      cpu.inc((user + system - countedMicroseconds) / 1_000_000);
      countedMicroseconds = user + system;
      const { rss, heapUsed } = process.memoryUsage();
      memory.set(rss);
      heap.set(heapUsed);
      heapLimit.set(getHeapStatistics().heap_size_limit);
      files.set(openFiles());
    },
  };
}

/** On Linux. The folder's own descriptor is among them. */
function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

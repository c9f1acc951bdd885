import { isLoopback, PORTS_PER_ADDRESS } from '../source-address.ts';
import type { Hello } from './crew.ts';
import type { Target } from './plan.ts';

/** Files of a worker that are no connections. */
const OTHER_FILES = 200;

/** Warns where workers may not open as many files as their share of the connections takes. */
export function filesShort(workers: readonly Hello[], connections: number): string[] {
  const each = Math.ceil(connections / workers.length) + OTHER_FILES;
  const lowest = Math.min(...workers.map(({ filesMax }) => filesMax ?? Number.POSITIVE_INFINITY));
  if (each <= lowest) return [];
  const enough = Math.ceil(connections / Math.max(1, lowest - OTHER_FILES));
  return [
    `warning: a worker may hold ${lowest} files open, and its share takes ${each}; raise it (ulimit -n ${each}) or give --workers ${enough}.`,
  ];
}

/** Warns where this machine has not as many ports to connect from as one target's connections take. */
export function portsShort(targets: readonly Target[], connections: number): string[] {
  const each = Math.ceil(connections / targets.length);
  const short = targets.filter(({ url }) => !isLoopback(url));
  if (short.length === 0 || each <= PORTS_PER_ADDRESS) return [];
  return [
    `warning: one address has about ${PORTS_PER_ADDRESS} ports to connect from, and each target gets ${each} connections; add workers on other machines (--listen, --expect), or widen net.ipv4.ip_local_port_range.`,
  ];
}

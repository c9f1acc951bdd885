/** So many connections to one port an address can have at a time: what Linux leaves to outgoing ones by default. */
export const PORTS_PER_ADDRESS = 28_000;

const ADDRESSES = 200;

/**
 * The address from which the n-th connection of a worker to a target comes: on loopback one of 127.0.0.0/8, so that
 * ports do not run out and nodes see many addresses; elsewhere undefined, which leaves it to the system.
 */
export function sourceAddress(url: string, worker: number, n: number): string | undefined {
  if (!isLoopback(url)) return undefined;
  // .0 and .255 are left out, and 127.0.x.x, where resolvers and the like listen.
  return `127.${1 + (worker % 250)}.0.${1 + (n % ADDRESSES)}`;
}

/** IPv4 alone: IPv6 has one loopback address. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return /^127\.\d+\.\d+\.\d+$/.test(hostname) || (hostname === 'localhost' && process.platform === 'linux');
}

/** So many connections to one port an address can have at a time: what Linux leaves to outgoing ones by default. */
export const PORTS_PER_ADDRESS = 28_000;

const ADDRESSES = 200;

/**
 * The address from which the n-th client of a worker connects to a target. On loopback it is one of 127.0.0.0/8: ports
 * do not run out, and a node sees as many addresses as in the field, rather than more people behind one address than
 * ADDRESS_PEERS_MAX allows. Elsewhere it is undefined, and the system chooses.
 */
export function sourceAddress(url: string, worker: number, n: number): string | undefined {
  if (!isLoopback(url)) return undefined;
  // .0 and .255 are left out, and 127.0.x.x, where resolvers and the like listen.
  return `127.${1 + (worker % 250)}.0.${1 + (n % ADDRESSES)}`;
}

/** IPv4 on Linux alone: elsewhere loopback is one address. */
export function isLoopback(url: string): boolean {
  return process.platform === 'linux' && /^(127\.\d+\.\d+\.\d+|localhost)$/.test(new URL(url).hostname);
}

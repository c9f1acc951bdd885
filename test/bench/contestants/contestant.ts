import type { BenchNode } from '../node-process.ts';
import type { PartName } from '../parts.ts';
import type { Wire } from '../wires/wire.ts';

/** Who relays the bench's messages. */
export interface Contestant {
  readonly name: string;
  readonly title: string;
  readonly promises: string;
  /** Whether its nodes share a Redis; else there is one node, and all peers are on it. */
  readonly hasRedis: boolean;
  /** Where it is there to show one thing alone. */
  readonly only?: readonly PartName[];
  readonly wire: Wire;
  /** Starts one node. The others of the same Redis have numbers of their own, from 0. */
  startNode(index: number, redisUrl: string, secret: string): Promise<BenchNode>;
}

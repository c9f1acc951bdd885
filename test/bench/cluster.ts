import { createHmac, randomBytes } from 'node:crypto';

import { findRedisServer, type RedisServer, StartFailure, startRedisServer } from '@fenghuo/cluster';
import { sourceAddress } from '@fenghuo/loadtest';

import type { Contestant } from './contestants/index.ts';
import { type Seat, takeSeat } from './generator/seat.ts';
import type { BenchNode } from './node-process.ts';

/** One contestant's nodes and its own Redis, new, for a part of a round. */
export interface BenchCluster {
  readonly nodes: readonly BenchNode[];
  readonly redisPid: number | undefined;
  /** Connects a client to a node and joins a room. Throws where that takes longer than `JOIN_MS`. */
  join(node: number, room: string): Promise<Seat>;
  /** Closes all clients, and ends everything. */
  stop(): Promise<void>;
}

const JOIN_MS = 90_000;
const TOKEN_S = 3_600;

export async function startCluster(contestant: Contestant, count: number): Promise<BenchCluster> {
  const secret = randomBytes(36).toString('base64');
  const redis = contestant.hasRedis ? await startRedis() : undefined;
  const nodes: BenchNode[] = [];
  const seats: Seat[] = [];
  const stop = async () => {
    for (const seat of seats) seat.close();
    await Promise.all(nodes.map((node) => node.stop()));
    await redis?.stop();
  };
  const starts = await Promise.allSettled(
    Array.from({ length: count }, (_, index) => contestant.startNode(index, redis?.url ?? '', secret)),
  );
  for (const start of starts) if (start.status === 'fulfilled') nodes.push(start.value);
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  let people = 0;
  return {
    nodes,
    redisPid: redis?.pid,
    async join(node, room) {
      const from = sourceAddress('http://127.0.0.1', 0, people);
      people += 1;
      const name = `client${people}`;
      const ticket = { room, name, token: tokenFor(name, secret), from };
      const { port } = nodes[node] as BenchNode;
      const seat = await takeSeat(contestant.wire, port, ticket, performance.now() + JOIN_MS);
      seats.push(seat);
      return seat;
    },
    stop,
  };
}

function startRedis(): Promise<RedisServer> {
  const binary = findRedisServer();
  if (binary === undefined)
    throw new StartFailure('no redis-server on the PATH; install one (apt-get install redis-server).');
  return startRedisServer(binary);
}

/** RFC 7519, by hand: the generator signs thousands at once. */
function tokenFor(sub: string, secret: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + TOKEN_S;
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub, exp })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

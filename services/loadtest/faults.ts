import { setTimeout as sleep } from 'node:timers/promises';

import type { ClusterUnderTest } from './cluster-under-test.ts';
import type { Crowd } from './crowd.ts';
import type { NodeUnderTest } from './node-under-test.ts';
import type { Fault, FaultKind } from './schedule.ts';

/** What a fault left behind that shows whether it had an effect. */
export interface Bite {
  readonly hasBitten: boolean;
  readonly evidence: string;
  /** Clients that were on the node that it hit. */
  readonly clients: number;
}

export interface World {
  readonly cluster: ClusterUnderTest;
  readonly crowd: Crowd;
  /** Aborts when the run is called off. */
  readonly signal: AbortSignal;
}

/** Over this a drain has failed; it is well above DRAIN_MS. */
const TERMINATE_MS = 60_000;
/** What a Redis restarts with before it is killed is at least so old. */
const STALE_MS = 3_000;
const DOWN_MS = 500;
const WITNESS_MS = 2_000;
const POLL_MS = 20;
const DEAF_MS = 500;

/** Does one fault, waits until it is healed, and says whether it bit. Throws where it cannot be healed. */
export function inflict(fault: Fault, index: number, world: World): Promise<Bite> {
  return KINDS[fault.kind](fault, index, world);
}

const KINDS: Record<FaultKind, (fault: Fault, index: number, world: World) => Promise<Bite>> = {
  kill: async (fault, index, world) => {
    const node = nodeOf(fault, world);
    const clients = world.crowd.interrupt(node.endpoint, index);
    await node.kill();
    const left = await untilGone(world, node, clients);
    await node.start();
    return { clients, hasBitten: clients > 0 && left, evidence: leaving(clients, left) };
  },

  hang: async (fault, index, world) => {
    const node = nodeOf(fault, world);
    const clients = world.crowd.interrupt(node.endpoint, index);
    node.freeze();
    try {
      const isStopped = await isDeaf(node);
      await rest(fault.lengthMs - DEAF_MS, world);
      const staying = world.crowd.peersOn(node.endpoint);
      const evidence = `${isStopped ? 'stopped' : 'NOT stopped'}, ${clients - staying} of ${clients} clients left it`;
      return { clients, hasBitten: isStopped && clients > staying, evidence };
    } finally {
      node.wake();
      world.crowd.calm(index);
    }
  },

  terminate: async (fault, index, world) => {
    const node = nodeOf(fault, world);
    const clients = world.crowd.interrupt(node.endpoint, index);
    const startedMs = performance.now();
    const how = await node.terminate(TERMINATE_MS);
    const tookMs = Math.round(performance.now() - startedMs);
    await node.start();
    const evidence = `ended after ${tookMs} ms (${how}), with ${clients} clients`;
    return { clients, hasBitten: clients > 0 && how === 'exit code 0', evidence };
  },

  'redis-empty': (_, __, world) => restartRedis(world, 'none'),

  'redis-restart': (_, __, world) => restartRedis(world, 'kept'),

  'redis-stale': async (_, __, world) => {
    const redis = await world.cluster.redis();
    await redis.copy();
    await rest(STALE_MS, world);
    return restartRedis(world, 'copy');
  },

  flush: async (_, __, world) => {
    const redis = await world.cluster.redis();
    const before = Number(await redis.ask('DBSIZE'));
    const { waited } = await whileWatching(world, async () => {
      world.crowd.orphan();
      await redis.ask('FLUSHALL');
    });
    return { clients: 0, hasBitten: before > 0, evidence: `${before} keys gone, ${waited} requests waited` };
  },

  'redis-pause': async (fault, _, world) => {
    const redis = await world.cluster.redis();
    redis.pause();
    try {
      let isSilent = false;
      const { waited } = await whileWatching(world, async () => {
        const silent = redis.ask('PING').then(
          () => false,
          () => true,
        );
        await rest(fault.lengthMs, world);
        isSilent = await silent;
      });
      const evidence = `${isSilent ? 'silent' : 'NOT silent'} for ${fault.lengthMs} ms, ${waited} requests waited`;
      return { clients: 0, hasBitten: isSilent && waited > 0, evidence };
    } finally {
      redis.resume();
    }
  },

  'sentinel-failover': async (_, __, world) => {
    const { sentinels } = world.cluster;
    if (sentinels === undefined) throw new Error('a failover needs the sentinels');
    let evidence = '';
    const { waited } = await whileWatching(world, async () => {
      const { former, master } = await sentinels.failOver();
      evidence = `master went from port ${former.port} to ${master.port}`;
      await former.start('kept', ['--replicaof', '127.0.0.1', String(master.port)]);
    });
    return { clients: 0, hasBitten: waited > 0, evidence: `${evidence}, ${waited} requests waited` };
  },

  'cut-redis': async (fault, index, world) => {
    const node = nodeOf(fault, world);
    const clients = world.crowd.interrupt(node.endpoint, index);
    const way = node.toRedis;
    if (way === undefined) throw new Error('the way to Redis cannot go silent here');
    const cut = way.connections;
    way.silence();
    try {
      const { waited } = await whileWatching(world, () => rest(fault.lengthMs, world));
      const evidence = `${cut} connections silent for ${fault.lengthMs} ms, ${waited} requests waited`;
      return { clients, hasBitten: cut > 0 && waited > 0, evidence };
    } finally {
      way.speak();
      world.crowd.calm(index);
    }
  },

  'cut-clients': async (fault, index, world) => {
    const node = nodeOf(fault, world);
    const clients = world.crowd.interrupt(node.endpoint, index);
    const way = node.fromClients;
    if (way === undefined) throw new Error('the way of the clients cannot go silent here');
    way.silence();
    try {
      await rest(fault.lengthMs, world);
      const staying = world.crowd.peersOn(node.endpoint);
      const evidence = `silent for ${fault.lengthMs} ms, ${clients - staying} of ${clients} clients left`;
      return { clients, hasBitten: clients > staying, evidence };
    } finally {
      way.speak();
      world.crowd.calm(index);
    }
  },

  'kill-with-redis': async (fault, index, world) => {
    const node = nodeOf(fault, world);
    const redis = await world.cluster.redis();
    const before = Number(await redis.ask('DBSIZE'));
    const clients = world.crowd.interrupt(node.endpoint, index);
    world.crowd.orphan(node.endpoint);
    await Promise.all([node.kill(), redis.kill()]);
    await rest(DOWN_MS, world);
    await redis.start('none');
    await node.start();
    const evidence = `${clients} clients cut off, ${before} keys gone`;
    return { clients, hasBitten: clients > 0 && before > 0, evidence };
  },
};

function nodeOf(fault: Fault, { cluster }: World): NodeUnderTest {
  const node = cluster.nodes[fault.node ?? -1];
  if (node === undefined) throw new Error(`${fault.kind} needs a node, and there is no number ${fault.node}`);
  return node;
}

async function restartRedis(world: World, data: 'kept' | 'none' | 'copy'): Promise<Bite> {
  const redis = await world.cluster.redis();
  const before = Number(await redis.ask('DBSIZE'));
  // Written after the copy was made: a Redis that begins from it cannot know this.
  const witness = `chaos-${Math.round(performance.now())}`;
  await redis.ask('SET', witness, '1', 'PX', '60000');
  let hasWitness = false;
  const { waited } = await whileWatching(world, async () => {
    if (data !== 'kept') world.crowd.orphan();
    await redis.kill();
    await rest(DOWN_MS, world);
    await redis.start(data);
    hasWitness = (await redis.ask('EXISTS', witness)) === '1';
  });
  const isAsMeant = hasWitness === (data === 'kept');
  const evidence = `${before} keys before, the last write ${hasWitness ? 'kept' : 'gone'}, ${waited} requests waited`;
  return { clients: 0, hasBitten: before > 0 && isAsMeant && waited > 0, evidence };
}

/** How many requests were answered `unavailable` while something was done, and shortly after. */
async function whileWatching(world: World, action: () => Promise<void>): Promise<{ waited: number }> {
  const { crowd } = world;
  const before = crowd.timesWithheld;
  await action();
  const deadline = performance.now() + WITNESS_MS;
  while (crowd.timesWithheld === before && performance.now() < deadline) await rest(POLL_MS, world);
  return { waited: crowd.timesWithheld - before };
}

/** Whether the node's clients noticed: their connections are gone, or on their way elsewhere. */
async function untilGone(world: World, node: NodeUnderTest, clients: number): Promise<boolean> {
  const deadline = performance.now() + WITNESS_MS;
  while (world.crowd.peersOn(node.endpoint) >= clients && performance.now() < deadline)
    await rest(POLL_MS, world);
  return world.crowd.peersOn(node.endpoint) < clients;
}

function leaving(clients: number, left: boolean): string {
  if (clients === 0) return 'no client was on it';
  return left ? `${clients} clients cut off` : `${clients} clients did not notice`;
}

/** Waits; ends early, without complaint, where the run is called off, so that what is broken gets healed. */
async function rest(ms: number, { signal }: World): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}

/** Whether it does not even say that it lives. Takes `DEAF_MS`. */
async function isDeaf(node: NodeUnderTest): Promise<boolean> {
  try {
    await fetch(`${node.opsUrl}/livez`, { signal: AbortSignal.timeout(DEAF_MS) });
    return false;
  } catch {
    return true;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';

import type { BenchCluster } from './cluster.ts';
import type { Traffic } from './generator/traffic.ts';
import type { BenchNode } from './node-process.ts';
import { bytesRead, cpuUs } from './processes.ts';

/** What it took to deliver one message, within a window of time. */
export interface Cost {
  readonly perSecond: number;
  /** µs of the processors, of all nodes that host somebody. */
  readonly nodesUs: number;
  readonly redisUs: number;
  readonly generatorUs: number;
  /** Of one core. */
  readonly generatorShare: number;
  /** µs of the node that hosts nobody, less what it takes when nothing is said; undefined without one. */
  readonly bystanderUs: number | undefined;
  /** What that node read for it, likewise. */
  readonly bystanderBytes: number | undefined;
}

/** A node that hosts nobody, and what it takes a second when nothing is said. */
export interface Bystander {
  readonly node: BenchNode;
  readonly idleUsPerSecond: number;
  readonly idleBytesPerSecond: number;
}

/** Measures while `traffic` goes on. */
export async function measureWindow(
  { nodes, redisPid }: BenchCluster,
  traffic: Traffic,
  windowMs: number,
  bystander?: Bystander,
): Promise<Cost> {
  const hosts = nodes.filter((node) => node !== bystander?.node);
  const look = () => ({
    atMs: performance.now(),
    delivered: traffic.delivered,
    nodes: hosts.reduce((sum, { pid }) => sum + cpuUs(pid), 0),
    redis: redisPid === undefined ? 0 : cpuUs(redisPid),
    bystander: bystander === undefined ? { us: 0, bytes: 0 } : lookAt(bystander.node),
    generator: cpuUs(process.pid),
  });
  const before = look();
  await sleep(windowMs);
  const after = look();
  const seconds = (after.atMs - before.atMs) / 1_000;
  const messages = after.delivered - before.delivered;
  const ofBystander = (name: 'us' | 'bytes', idlePerSecond: number) =>
    (after.bystander[name] - before.bystander[name] - idlePerSecond * seconds) / messages;
  const each = (name: 'nodes' | 'redis' | 'generator') => (after[name] - before[name]) / messages;
  return {
    perSecond: messages / seconds,
    nodesUs: each('nodes'),
    redisUs: each('redis'),
    generatorUs: each('generator'),
    generatorShare: (after.generator - before.generator) / seconds / 1e6,
    bystanderUs: bystander && ofBystander('us', bystander.idleUsPerSecond),
    bystanderBytes: bystander && ofBystander('bytes', bystander.idleBytesPerSecond),
  };
}

/** Watches a node that hosts nobody while nothing is said. */
export async function watchIdle(node: BenchNode, windowMs: number): Promise<Bystander> {
  const before = lookAt(node);
  const sinceMs = performance.now();
  await sleep(windowMs);
  const after = lookAt(node);
  const seconds = (performance.now() - sinceMs) / 1_000;
  return {
    node,
    idleUsPerSecond: (after.us - before.us) / seconds,
    idleBytesPerSecond: (after.bytes - before.bytes) / seconds,
  };
}

function lookAt({ pid }: BenchNode) {
  return { us: cpuUs(pid), bytes: bytesRead(pid) };
}

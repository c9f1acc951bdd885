import { randomBytes } from 'node:crypto';
import type { JoinReply } from '@fenghuo/protocol';
import { afterEach } from 'vitest';
import type { Backplane } from '../../services/signaling/backplane/backplane.ts';
import { type MemoryHub, memoryHub, type RingFaults } from '../../services/signaling/backplane/memory/hub.ts';
import { parseConfig } from '../../services/signaling/config.ts';
import { defaultLogBounds } from '../../services/signaling/domain/log-bounds.ts';
import { refuse } from '../../services/signaling/domain/result.ts';
import { type RunningNode, startNode } from '../../services/signaling/node.ts';
import { openLog } from '../../services/signaling/telemetry/log.ts';
import { openMetrics } from '../../services/signaling/telemetry/metrics.ts';
import { eventually } from './eventually.ts';
import { connect, type PlainClient } from './plain-client.ts';

export interface NodeOnMemory extends RunningNode {
  readonly url: string;
  readonly backplane: Backplane;
  /** As if the backplane were away for this node alone, or its process hung: nothing is answered, nothing rings. */
  isCutOff: boolean;
}

export interface NodeOnMemoryOptions {
  readonly id: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** What its doorbell does to each ring. */
  readonly rings?: RingFaults;
  /** By which tokens tell the time. */
  readonly wallMs?: () => number;
}

/**
 * Opens real nodes on a memory of their own that a test may empty, and people on them; what a test opened is closed after it.
 */
export function nodesOnMemory(settings: Readonly<Record<string, string>> = {}) {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function person(node: NodeOnMemory): Promise<PlainClient> {
    const client = await connect(node.url);
    cleanups.push(() => client.close());
    return client;
  }

  return {
    person,

    /** Ready, and acquainted with each other: each has seen the leases of all. */
    async openNodes(...options: readonly [NodeOnMemoryOptions, NodeOnMemoryOptions]) {
      const hub = memoryHub();
      const open = async (each: NodeOnMemoryOptions) => {
        const node = await startNodeOn(hub, { ...each, settings: { ...settings, ...each.settings } });
        cleanups.push(() => node.stop());
        return node;
      };
      const [beijing, shanghai] = [await open(options[0]), await open(options[1])];
      for (const node of [beijing, shanghai])
        await eventually(() => knows(node, 2), { what: 'a node that knows both' });
      return { hub, beijing, shanghai };
    },

    /** Ann on one node and Bob on another, who have seen each other. */
    async pair(beijing: NodeOnMemory, shanghai: NodeOnMemory) {
      const [ann, bob] = [await person(beijing), await person(shanghai)];
      const annJoin = await joinUntilTaken(ann, 'blue', 'Ann');
      const bobJoin = await joinUntilTaken(bob, 'blue', 'Bob');
      await ann.next('peer_joined');
      return { ann, bob, annJoin, bobJoin };
    },
  };
}

/** A node that has just begun may refuse for a moment. */
export async function joinUntilTaken(client: PlainClient, room: string, name: string): Promise<JoinReply> {
  return (await eventually(() => client.join(room, { name }))) as JoinReply;
}

async function knows(node: RunningNode, nodes: number): Promise<boolean> {
  const metrics = await (await fetch(`http://127.0.0.1:${node.operatorsPort}/metrics`)).text();
  return metrics.includes(`signaling_cluster_nodes{home="main"} ${nodes}\n`);
}

/** A real node on a memory that a test may empty, with a backplane that a test may tamper with. */
export async function startNodeOn(hub: MemoryHub, options: NodeOnMemoryOptions): Promise<NodeOnMemory> {
  const config = parseConfig({
    NODE_ID: options.id,
    REGION: 'beijing',
    HOST: '127.0.0.1',
    PORT: '0',
    OPS_PORT: '0',
    AUTH: 'open',
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
    ...options.settings,
  });
  const incarnation = randomBytes(9).toString('base64url');
  const bounds = defaultLogBounds(config.resumeWindowMs);
  const state = { isCutOff: false };
  const faults: RingFaults = (record) => (state.isCutOff ? [] : (options.rings?.(record) ?? [0]));
  const backplane = hub.attach({ incarnation, bounds, faults });
  for (const part of [backplane.rooms, backplane.leases, backplane.rebuilds]) cutOffAtWill(part, state);
  const log = openLog(config.logLevel, config.nodeId, config.region);
  const node = await startNode(config, {
    incarnation,
    backplanes: [backplane],
    metrics: openMetrics(),
    log,
    wallMs: options.wallMs ?? Date.now,
  });
  return {
    ...node,
    url: `http://127.0.0.1:${node.clientsPort}`,
    backplane,
    get isCutOff() {
      return state.isCutOff;
    },
    set isCutOff(isCutOff: boolean) {
      state.isCutOff = isCutOff;
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the part does, it does not while it is cut off
function cutOffAtWill(part: any, state: { readonly isCutOff: boolean }): void {
  for (const name of Object.keys(part)) {
    const call = part[name];
    if (typeof call !== 'function' || ['release', 'seal', 'onUnsealed'].includes(name)) continue;
    part[name] = async (...args: unknown[]) => (state.isCutOff ? refuse('unavailable') : call(...args));
  }
}

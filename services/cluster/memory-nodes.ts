import { setTimeout as sleep } from 'node:timers/promises';

import { isReady } from './is-ready.ts';
import { type NodePlan, nodeEnvironment } from './node-plan.ts';

const POLL_MS = 20;

/** Starts the nodes in this process, where they share rooms through memory. Resolves once they take clients. */
export async function memoryNodes(
  plans: readonly NodePlan[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ stop(graceMs: number): Promise<void> }> {
  // Loaded here alone: nodes that are processes of their own bring it themselves.
  const { memoryHub, parseConfig, startNode } = await import('@fenghuo/signaling');
  const hub = memoryHub();
  const nodes: { stop(): Promise<void> }[] = [];
  const stop = async (graceMs: number) => {
    const all = Promise.allSettled(nodes.map((node) => node.stop()));
    await Promise.race([all, sleep(graceMs, undefined, { ref: false })]);
  };
  for (const plan of plans) {
    const config = parseConfig(nodeEnvironment(plan, {}, env));
    nodes.push(await startNode(config, { hub }));
  }
  // Nothing outside this process can keep them from it.
  for (const plan of plans) while (!(await isReady(plan))) await sleep(POLL_MS);
  return { stop };
}

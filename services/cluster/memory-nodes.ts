import { setTimeout as sleep } from 'node:timers/promises';

import { type NodePlan, nodeEnvironment } from './node-plan.ts';

/** Starts the nodes in this process, where they share rooms through memory. */
export async function memoryNodes(
  plans: readonly NodePlan[],
  env: NodeJS.ProcessEnv,
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
    const config = parseConfig(nodeEnvironment(plan, undefined, env));
    nodes.push(await startNode(config, { hub }));
  }
  return { stop };
}

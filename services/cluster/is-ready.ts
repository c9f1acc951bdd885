import { type NodePlan, operatorsUrl } from './node-plan.ts';

/** Whether the node takes clients now. */
export async function isReady(plan: NodePlan): Promise<boolean> {
  try {
    const response = await fetch(`${operatorsUrl(plan)}/readyz`, { signal: AbortSignal.timeout(1_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

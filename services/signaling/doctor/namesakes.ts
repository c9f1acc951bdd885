import { setTimeout as sleep } from 'node:timers/promises';
import { BEAT_MS } from '../backplane/leases.ts';
import type { Client } from '../backplane/redis/connect.ts';
import type { Keys } from '../backplane/redis/keys.ts';
import { parseLeases } from '../backplane/redis/leases.ts';
import { type Finding, ok, warning, within } from './finding.ts';

/** Every living node beats meanwhile. */
const WATCHED_MS = BEAT_MS + 200;
const READ_MS = 2_000;

/** Whether other living processes bear this node's name. One that runs here is likely this node itself. */
export async function checkNamesakes(
  commands: Client,
  keys: Keys,
  { nodeId, runsHere }: { readonly nodeId: string; readonly runsHere: boolean },
): Promise<Finding[]> {
  const before = await countsOf(commands, keys, nodeId);
  await sleep(WATCHED_MS);
  const after = await countsOf(commands, keys, nodeId);
  const living = [...after].filter(([incarnation, count]) => (before.get(incarnation) ?? count) < count);
  const others = living.length - (runsHere ? 1 : 0);
  if (others <= 0) return [ok('node id', `nobody else is named ${nodeId}`)];
  const text = `${others} more living bear the name ${nodeId}: orders to a node are for all of that name, and figures do not tell them apart`;
  return [warning('node id', text, `NODE_ID=${nodeId}-2, one for each node`)];
}

async function countsOf(commands: Client, keys: Keys, nodeId: string): Promise<Map<string, number>> {
  const leases = await within(READ_MS, commands.hgetall(keys.leases));
  const ofName = parseLeases(Object.entries(leases).flat(), () => {}).filter(
    (lease) => lease.nodeId === nodeId,
  );
  return new Map(ofName.map(({ incarnation, count }) => [incarnation, count]));
}

import { expect, test } from 'vitest';
import { refuse } from '../../services/signaling/domain/result.ts';
import { eventually } from '../support/eventually.ts';
import { nodesOnMemory } from '../support/node-parts.ts';

const { openNodes } = nodesOnMemory();

test('a node is not ready while no beat succeeds for the lease time, and is again by itself', async () => {
  const { beijing } = await openNodes({ id: 'a' }, { id: 'b' });
  const { leases } = beijing.backplane;
  const ready = async () => {
    const answer = await fetch(`http://127.0.0.1:${beijing.operatorsPort}/readyz`);
    const { checks } = (await answer.json()) as { checks: Record<string, { ok: boolean }> };
    return { status: answer.status, heartbeat: checks.heartbeat };
  };
  const { renew, take } = leases;
  expect(await ready()).toEqual({ status: 200, heartbeat: { ok: true } });
  // The backplane answers all else.
  Object.assign(leases, {
    renew: async () => refuse('unavailable'),
    take: async () => refuse('unavailable'),
  });
  await eventually(async () => expect(await ready()).toEqual({ status: 503, heartbeat: { ok: false } }), {
    timeoutMs: 12_000,
  });
  Object.assign(leases, { renew, take });
  await eventually(async () => expect(await ready()).toEqual({ status: 200, heartbeat: { ok: true } }));
});

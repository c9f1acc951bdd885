import type { PeerId } from '@fenghuo/protocol';
import { expect, test } from 'vitest';
import { memoryHub } from '../../services/signaling/backplane/memory/hub.ts';
import { defaultLogBounds } from '../../services/signaling/domain/log-bounds.ts';
import { roomId } from '../../services/signaling/domain/room-id.ts';
import { keepSealed } from '../support/seal.ts';
import { claimsContract } from './claims.contract.ts';
import { directoryContract } from './directory.contract.ts';
import { leasesContract } from './leases.contract.ts';
import { moderationContract } from './moderation.contract.ts';
import { newcomer } from './nodes.ts';
import { replicaContract } from './replica.contract.ts';
import { resumeContract } from './resume.contract.ts';
import { roomLogContract } from './room-log.contract.ts';

let opened = 0;

async function share(faults?: () => readonly number[]) {
  const hub = memoryHub();
  return {
    open: async (bounds = defaultLogBounds(30_000)) => {
      const incarnation = `node-${opened++}`;
      const backplane = hub.attach({ incarnation, bounds, ...(faults === undefined ? {} : { faults }) });
      await keepSealed(backplane, incarnation);
      return backplane;
    },
    close: async () => {},
    losesRings: faults !== undefined,
  };
}

roomLogContract('memory', () => share());
claimsContract('memory', () => share());
leasesContract('memory', () => share());
directoryContract('memory', () => share());
resumeContract('memory', () => share());
replicaContract('memory', () => share());
moderationContract('memory', () => share());

// Rule H3: zero, one or two copies of a ring, late and out of order.
let rings = 0;
const FAULTS = [[0], [2], [0, 3], [], [1, 1], [0], [5]] as const;
const faulty = () => share(() => FAULTS[rings++ % FAULTS.length] ?? [0]);
roomLogContract('memory with a doorbell that drops, doubles and delays', faulty);
resumeContract('memory with a doorbell that drops, doubles and delays', faulty);
replicaContract('memory with a doorbell that drops, doubles and delays', faulty);
moderationContract('memory with a doorbell that drops, doubles and delays', faulty);

test('a room keeps bans of 4,096 people: one more is shown out, and may come again', async () => {
  const shared = await share();
  const { rooms } = await shared.open();
  const room = roomId('blue', 'main');
  const ban = async (n: number) => {
    const peer = `p${n}` as PeerId;
    await rooms.join(newcomer(room, { name: `p${n}`, peer }));
    expect(await rooms.intervene(room, { action: 'ban', peer })).toMatchObject({ ok: true });
  };
  await rooms.join(newcomer(room, { name: 'Ann' }));
  for (let n = 0; n <= 4_096; n++) await ban(n);
  expect(await rooms.join(newcomer(room, { name: 'p4095' }))).toEqual({ ok: false, code: 'banned' });
  expect(await rooms.join(newcomer(room, { name: 'p4096' }))).toMatchObject({ ok: true });
});

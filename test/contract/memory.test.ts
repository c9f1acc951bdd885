import { memoryHub } from '../../services/signaling/backplane/memory/hub.ts';
import { defaultLogBounds } from '../../services/signaling/domain/log-bounds.ts';
import { keepSealed } from '../support/seal.ts';
import { directoryContract } from './directory.contract.ts';
import { leasesContract } from './leases.contract.ts';
import { moderationContract } from './moderation.contract.ts';
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

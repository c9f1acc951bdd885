import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { Target } from '../target.ts';
import { NEWCOMERS } from './newcomers.ts';
import type { Testimony } from './thread.ts';
import type { Witnessed } from './witnessed.ts';

export type { NodeReport, Testimony } from './thread.ts';

/** Watches a cluster and uses it honestly, in a thread of its own: what the fuzzer does must not make it late. */
export interface Witness {
  /** Ends it. `dead`: nodes are, so that nothing more is to be expected of them. */
  end(how: 'alive' | 'dead'): Promise<Testimony>;
}

const NAMES = ['ann', 'bob', ...Array.from({ length: NEWCOMERS }, (_, n) => `newcomer-${n}`)];

/** Resolves once honest people are in a call, and it is known how fast that is when nobody disturbs. */
export async function startWitness({ name, cluster, tokens }: Target): Promise<Witness> {
  const entries = NAMES.map((each) => [each, tokens.good({ sub: `honest-${each}` })]);
  const workerData: Witnessed = {
    name,
    nodes: cluster.nodes.map(({ id, endpoint, opsUrl }) => ({ id, endpoint, opsUrl })),
    tokens: name === 'required' ? Object.fromEntries(entries) : {},
  };
  const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData });
  await once(worker, 'message');
  return {
    async end(how) {
      worker.postMessage(how);
      const [testimony] = (await once(worker, 'message')) as [Testimony];
      await worker.terminate();
      return testimony;
    },
  };
}

import { abuse } from './abuse.ts';
import { calls } from './calls.ts';
import { churn } from './churn.ts';
import { drain } from './drain.ts';
import { idle } from './idle.ts';
import { mesh } from './mesh.ts';
import { outage } from './outage.ts';
import { regions } from './regions.ts';
import type { Scenario } from './scenario.ts';
import { soak } from './soak.ts';
import { storm } from './storm.ts';

export type { Conductor, OwnCluster, Scenario } from './scenario.ts';

/** All of them, in the order in which the help lists them. */
export const SCENARIOS: readonly Scenario[] = [
  calls,
  mesh,
  idle,
  churn,
  storm,
  drain,
  outage,
  regions,
  abuse,
  soak,
];

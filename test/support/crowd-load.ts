import {
  bringToRest,
  Crowd,
  type FaultReport,
  judge,
  SCENARIOS,
  seededRandom,
  startTraffic,
  type Traffic,
} from '@fenghuo/loadtest';
import { eventually } from './eventually.ts';

export interface Load {
  /** Resolves once everybody has joined. */
  isOn(): Promise<void>;
  /** Counts what is done to the cluster meanwhile as one fault. */
  during(kind: FaultReport['kind'], fault: () => Promise<void>): Promise<void>;
  /** Resolves once somebody is told to wait, from now on. */
  isFelt(): Promise<void>;
  /** Ends the traffic, waits until everything has come to rest, and names the promises that were broken. */
  verdict(): Promise<readonly string[]>;
}

/** Pairs across the regions, who send each other numbered signals from now on, and keep account. */
export function startLoad(endpoints: readonly string[]): Load {
  const crowd = new Crowd({ endpoints, roomSizes: Array(15).fill(2), random: seededRandom(5) });
  const faults: FaultReport[] = [];
  const startMs = performance.now();
  let traffic: Traffic | undefined;
  const joined = crowd.start(10).then(() => {
    traffic = startTraffic(crowd, 60);
  });
  return {
    isOn: () => joined,
    async during(kind, fault) {
      const atMs = performance.now() - startMs;
      const [before, withheldBefore] = [crowd.sums(), crowd.timesWithheld];
      await fault();
      const { cutOff, resumed } = crowd.sums();
      const clients = cutOff - before.cutOff;
      const back = resumed - before.resumed;
      const waited = crowd.timesWithheld - withheldBefore;
      const evidence = `${back} resumed, ${waited} requests waited`;
      const hasBitten = back + waited > 0;
      faults.push({ kind, atMs, tookMs: performance.now() - startMs - atMs, hasBitten, evidence, clients });
    },
    async isFelt() {
      const before = crowd.timesWithheld;
      await eventually(() => crowd.timesWithheld > before, { what: 'somebody is told to wait' });
    },
    async verdict() {
      traffic?.stop();
      const nodes = endpoints.map((endpoint) => ({ endpoint }));
      const rest = await bringToRest(crowd, { nodes }, seededRandom(6), new AbortController().signal);
      const findings = {
        planned: traffic?.planned ?? 0,
        ledger: crowd.ledger.sums(),
        crowd: crowd.sums(),
        ...rest,
        faults,
        crashes: [],
      };
      for (const peer of crowd.peers) peer.stop();
      return judge(findings, { ...SCENARIOS.roll.limits, gapP99MsMax: 15_000 }).reasons;
    },
  };
}

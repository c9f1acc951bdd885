import { startTwoRegions } from '../two-regions.ts';
import type { Conductor, OwnCluster, Scenario } from './scenario.ts';

/** Of what the cut leaves: steady at first, then with jitter; the rest comes after the link is mended. */
const STEADY_SHARE = 0.3;
const JITTER_SHARE = 0.2;
const AFTER_S = 10;

export const regions: Scenario = {
  name: 'regions',
  text: 'two regions, a round trip apart: rooms at home and rooms across, and the link between them cut',
  help: `Starts two Redis, two nodes and the link between them on this machine (needs a redis-server). Of four rooms one is wholly
in each region, and two have a member in each. For a part of the run the delay varies by --jitter, then the link is cut
for --cut, both ways, without a word. relay_local is what those at home get, relay_region those across, whose clients
go to the other region's node while their own cannot reach their room's home. --cut 0s leaves the link whole.`,
  activity: 'stream',
  defaults: { rate: 200, durationS: 40, connections: 80, peers: 2, rampPerS: 50 },
  flags: ['rtt', 'jitter', 'cut'],
  mayBeAcross: false,
  isOpenEnded: true,
  async start({ rttMs, jitterMs, cutS }): Promise<OwnCluster> {
    const cluster = await startTwoRegions(rttMs / 2);
    return {
      ...cluster,
      conduct: (run) => conduct(run, cluster.link, { delayMs: rttMs / 2, jitterMs, cutS }),
    };
  },
  // Only ever of the cluster that it starts.
  conduct: async () => {},
};

interface Way {
  set(timing: { delayMs: number; jitterMs?: number }): void;
  cut(): void;
  mend(): void;
}

async function conduct(
  run: Conductor,
  link: Way,
  { delayMs, jitterMs, cutS }: { delayMs: number; jitterMs: number; cutS: number },
): Promise<void> {
  const quietS = Math.max(0, run.options.durationS - cutS);
  run.phase('steady');
  await run.until(quietS * STEADY_SHARE);
  if (jitterMs > 0 && !run.signal.aborted) {
    run.phase('jitter');
    link.set({ delayMs, jitterMs });
    await run.until(run.elapsedS + quietS * JITTER_SHARE);
    link.set({ delayMs });
  }
  if (cutS > 0 && !run.signal.aborted) {
    run.phase('link cut');
    link.cut();
    await run.until(run.elapsedS + cutS);
    link.mend();
  }
  run.phase('after');
  await run.until(Math.max(run.options.durationS, cutS > 0 ? run.elapsedS + AFTER_S : 0));
}

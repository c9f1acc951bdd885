import type { Scenario } from './scenario.ts';

const BEFORE_SHARE = 0.25;
const BACK_S_MAX = 60;

export const storm: Scenario = {
  name: 'storm',
  text: 'a share of the clients loses the network at once, and all of them come back',
  help: `After a quarter of the time, --drop of the sockets are cut without a word to either side. Their clients come back as
clients should, one after the other as the nodes let them in; recovery_to99 says when 99 % were back in their sessions.`,
  activity: 'stream',
  defaults: { rate: 50, durationS: 60, connections: 1_000, peers: 2, rampPerS: 100 },
  flags: ['drop'],
  mayBeAcross: true,
  isOpenEnded: true,
  async conduct(run) {
    run.phase('steady');
    await run.until(run.options.durationS * BEFORE_SHARE);
    if (run.signal.aborted) return;
    run.phase('storm');
    await run.drop(run.options.dropShare, BACK_S_MAX);
    run.phase('after');
    await run.until(run.options.durationS);
  },
};

import { runCommand } from '../command.ts';
import type { Scenario } from './scenario.ts';

const BEFORE_S = 5;
const AFTER_S = 15;

export const outage: Scenario = {
  name: 'outage',
  text: 'Redis is stopped and started under load',
  help: `Runs --stop-command, waits for --outage, runs --start-command, and goes on for at least ${AFTER_S} s. Signals that are to be
sent meanwhile are held by their clients and counted from their intended time, so relay_max tells how long it took.
For example: --stop-command "docker stop redis" --start-command "docker start redis".`,
  activity: 'stream',
  defaults: { rate: 100, durationS: 40, connections: 200, peers: 2, rampPerS: 100 },
  flags: ['stop-command', 'start-command', 'outage'],
  mayBeAcross: true,
  isOpenEnded: true,
  lacks: ({ stopCommand, startCommand }) => [
    ...(stopCommand === undefined ? ['--stop-command is missing: it says how Redis is stopped here.'] : []),
    ...(startCommand === undefined
      ? ['--start-command is missing: it says how Redis is started again.']
      : []),
  ],
  async conduct(run) {
    const { stopCommand = '', startCommand = '', outageS, durationS } = run.options;
    run.phase('steady');
    await run.until(BEFORE_S);
    if (run.signal.aborted) return;
    run.phase('outage');
    try {
      await runCommand(stopCommand);
      await run.until(run.elapsedS + outageS);
    } finally {
      // Whatever happened: what was stopped is started.
      await runCommand(startCommand);
    }
    run.phase('after');
    await run.until(Math.max(durationS, run.elapsedS + AFTER_S));
  },
};

import { slopesOf } from '../measures/slopes.ts';
import { type Scenario, steady } from './scenario.ts';

export const soak: Scenario = {
  name: 'soak',
  text: 'hours of signals and of people who come and go: what grows in the nodes meanwhile',
  help: `Like churn, for hours: a fifth of the signals is of calls in rooms of their own, and a fifth as many people as leave are cut
off and resume. The nodes' memory, open files and rooms are read from --metrics: a straight line through each says how much it
grows an hour, once warmed up. "growing==0" is worth asking for. "npm run soak" does it to a cluster of its own.`,
  activity: 'soak',
  defaults: { rate: 100, durationS: 3_600, connections: 200, peers: 4, rampPerS: 50 },
  flags: ['churn'],
  mayBeAcross: false,
  lacks: ({ metrics }) =>
    metrics.length === 0 ? ['--metrics is missing: without it nobody sees what grows.'] : [],
  conduct: steady,
  measured: ({ server = [] }) => ({ slopes: slopesOf(server) }),
};

import { slopesOf } from '../measures/slopes.ts';
import { type Scenario, steady } from './scenario.ts';

export const soak: Scenario = {
  name: 'soak',
  text: 'hours of signals and of people who come and go: what grows in the nodes meanwhile',
  help: `Like churn, for hours, with the nodes' memory, open files and rooms read from --metrics: a straight line through each
says how much it grows an hour, once warmed up. "growing==0" is worth asking for.`,
  activity: 'churn',
  defaults: { rate: 100, durationS: 3_600, connections: 200, peers: 4, rampPerS: 50 },
  flags: ['churn'],
  mayBeAcross: false,
  lacks: ({ metrics }) =>
    metrics.length === 0 ? ['--metrics is missing: without it nobody sees what grows.'] : [],
  conduct: steady,
  measured: ({ server = [] }) => ({ slopes: slopesOf(server) }),
};

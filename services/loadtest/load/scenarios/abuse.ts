import { type Scenario, steady } from './scenario.ts';

export const abuse: Scenario = {
  name: 'abuse',
  text: 'floods, oversize, forged tokens and broken frames, beside people who behave',
  help: `One worker attacks the nodes over and over in a dozen ways: each must get its own error and nothing more
(unless told otherwise, wrong_answers==0 is among what the run must keep to). Meanwhile the others' well-behaved pairs signal each other, and must not
suffer: give --slo "relay_p99<…" what that means to you.`,
  activity: 'abuse',
  defaults: { rate: 50, durationS: 30, connections: 40, peers: 2, rampPerS: 50 },
  flags: [],
  mayBeAcross: false,
  workersMin: 2,
  slos: ['lost==0', 'doubled==0', 'reordered==0', 'misrouted==0', 'wrong_answers==0'],
  conduct: steady,
};

import { type Scenario, steady } from './scenario.ts';

export const calls: Scenario = {
  name: 'calls',
  text: 'one-to-one calls that begin independently of each other, from joining to hanging up',
  help: `Calls arrive as they do from people who know nothing of each other (Poisson). Each is two new connections that
join a room, an offer and an answer of the size that browsers make, ten candidates each way that trickle as they are
found, a talk, and hanging up. --rate is signals a second, of which a call takes 22: --rate 220 begins ten calls a second.`,
  activity: 'calls',
  defaults: { rate: 200, durationS: 30, connections: 0, peers: 2, rampPerS: 100 },
  flags: ['hold'],
  mayBeAcross: false,
  conduct: steady,
};

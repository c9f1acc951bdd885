import { type Scenario, steady } from './scenario.ts';

export const mesh: Scenario = {
  name: 'mesh',
  text: 'rooms of several, in which any two negotiate with each other, with glare on purpose',
  help: `Any two of a room make an offer in the same moment, again and again. The one that joined later is polite: it answers
the other's offer, makes its own anew, and gets its answer, as browsers do by the perfect negotiation pattern. --rate is
signals a second, of which a negotiation takes five.`,
  activity: 'mesh',
  defaults: { rate: 200, durationS: 30, connections: 100, peers: 5, rampPerS: 100 },
  flags: [],
  mayBeAcross: false,
  conduct: steady,
};

import { type Scenario, steady } from './scenario.ts';

export const churn: Scenario = {
  name: 'churn',
  text: 'people leave rooms and others come, while those who stay talk',
  help: `Signals go between people who stand in rooms; meanwhile --churn of them a second leave, and others take their places on
new connections.`,
  activity: 'churn',
  defaults: { rate: 200, durationS: 30, connections: 200, peers: 4, rampPerS: 100 },
  flags: ['churn'],
  mayBeAcross: false,
  conduct: steady,
};

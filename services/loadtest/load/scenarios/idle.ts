import { type Scenario, steady } from './scenario.ts';

export const idle: Scenario = {
  name: 'idle',
  text: 'many connections that do next to nothing: memory for each of them',
  help: `Fills rooms at --ramp connections a second and holds them. A few signals a second go between them, to prove that they
are alive. With --metrics the nodes' memory is read before and after: bytes_per_connection.`,
  activity: 'stream',
  defaults: { rate: 10, durationS: 30, connections: 2_000, peers: 2, rampPerS: 200 },
  flags: [],
  mayBeAcross: true,
  conduct: steady,
};

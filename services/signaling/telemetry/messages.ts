import { ERRORS } from '@fenghuo/protocol';
import { MESSAGE_TYPES } from '../sockets/serve.ts';
import type { Family } from './catalogue.ts';
import { RELAY_KINDS, RELAY_PATHS } from './relay.ts';

const RELAY_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function messageMetrics(family: Family) {
  return {
    messages: family.counter(
      'signaling_messages_total',
      'Requests answered, by type and outcome: ok, or the code of the error.',
      { type: MESSAGE_TYPES, outcome: ['ok', ...Object.keys(ERRORS)] },
    ),
    relayDuration: family.histogram(
      'signaling_relay_duration_seconds',
      'From handing a signal or message to the backplane until its record came back, when the other nodes have it too. On the clock of the sending node, so the last leg, to the node of whoever gets it, is not in it. Path local: a peer of this node got it; node: else, a peer of this region did; region: only peers of other regions did. Home near: that of the node; far: another one, and the way there and back is in it. Kind sdp: a description; other: a candidate or a message.',
      RELAY_SECONDS,
      { path: RELAY_PATHS, kind: RELAY_KINDS, home: ['near', 'far'] },
    ),
  };
}

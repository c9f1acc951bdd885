import { DROP_REASONS } from '../requests/context.ts';
import { CLOSE_REASONS } from '../sockets/socket-connection.ts';
import type { Family } from './catalogue.ts';

const REFUSALS = [
  'unauthorized',
  'unavailable',
  'origin_forbidden',
  'node_full',
  'draining',
  'rate_limited',
  'flood',
] as const;
const GO_AWAY_REASONS = ['drain', 'rebalance'] as const;

export function connectionMetrics(family: Family) {
  return {
    connections: family.gauge(
      'signaling_connections',
      'Connections to the clients’ port that are open now, from accept to close.',
    ),
    unjoined: family.gauge(
      'signaling_connections_unjoined',
      'Those of them that are in no room: on their way, or idle. They may hold a fifth of all places.',
    ),
    connectionsMax: family.gauge(
      'signaling_connections_max',
      'Connections that this node takes at most: its CONNECTIONS_MAX.',
    ),
    opened: family.counter('signaling_connections_opened_total', 'Handshakes that were accepted.'),
    closed: family.counter(
      'signaling_connections_closed_total',
      'Connections that ended, by reason. client: it said goodbye; transport: it closed its socket, or the network did; ping_timeout: it was silent; error: its socket failed or it sent what is no packet; removed: its session was ended, or goes on elsewhere; the others: as in signaling_connections_dropped_total.',
      { reason: CLOSE_REASONS },
    ),
    refused: family.counter(
      'signaling_handshakes_refused_total',
      'Handshakes refused, by the code that the client got; flood: cut with HTTP 429 or 503 before it could get one.',
      { code: REFUSALS },
    ),
    hostsRefused: family.counter(
      'signaling_hosts_refused_total',
      'Requests and handshakes answered with HTTP 421, or 400, since this node does not know the host that they name; ALLOWED_HOSTS adds names.',
      { port: ['clients', 'operators'] },
    ),
    waiting: family.gauge(
      'signaling_handshakes_waiting',
      'Handshakes that wait to be let in or turned away now.',
    ),
    pace: family.gauge(
      'signaling_admissions_per_second_max',
      'Handshakes that this node would take a second now: falls while its event loop is late.',
    ),
    dropped: family.counter(
      'signaling_connections_dropped_total',
      'Connections that the node closed of its own accord, by reason. flooding: it went on against its limits; crowded: it was in no room and its place was needed; not_joined: it was in no room for JOIN_WITHIN_MS.',
      { reason: DROP_REASONS },
    ),
    packetsWaiting: family.gauge(
      'signaling_packets_waiting',
      'Packets that clients have not taken from their sockets yet, of all connections.',
    ),
    draining: family.gauge(
      'signaling_draining',
      '1 while this node sends its clients away and takes no new ones, else 0.',
    ),
    goAways: family.counter('signaling_go_aways_total', 'Clients told to go to another node, by reason.', {
      reason: GO_AWAY_REASONS,
    }),
    ready: family.gauge(
      'signaling_ready',
      '1 where a question of readiness is answered with yes now, else 0, by check; the node takes clients while all are 1.',
      { check: READINESS_CHECKS },
    ),
  };
}

/** In the order in which GET /readyz tells of them. */
export const READINESS_CHECKS = [
  'backplane_answers',
  'backplane_rings',
  'home_sealed',
  'lease_taken',
  'heartbeat',
  'not_draining',
  'below_connections_max',
] as const;
export type ReadinessCheck = (typeof READINESS_CHECKS)[number];

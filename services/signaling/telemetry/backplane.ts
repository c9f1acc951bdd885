import { READ_VALUES } from '../backplane/malformed.ts';
import { CLAIM_OUTCOMES } from '../backplane/room-locator.ts';
import type { Family } from './catalogue.ts';

/** What every backplane has: doorbells and logs, leases, lives. */
export function backplaneMetrics(family: Family, home: readonly string[]) {
  return {
    duplicates: family.counter(
      'signaling_duplicates_suppressed_total',
      'Records that rang again after they had been delivered.',
    ),
    malformed: family.counter(
      'signaling_backplane_malformed_total',
      'Values read from the backplane that no node of ours writes, by what they should have been. Each counts as absent, or its request as unavailable.',
      { what: READ_VALUES },
    ),
    repaired: family.counter(
      'signaling_gaps_repaired_total',
      'Records that no doorbell brought and that were read back from a log.',
    ),
    resyncs: family.counter(
      'signaling_resyncs_total',
      'Sessions that were given a snapshot because a log no longer reached back.',
    ),
    homeLocal: family.gauge(
      'signaling_home_local',
      "1 for the home of this node's region, by which it is ready or not, else 0.",
      { home },
    ),
    claims: family.counter(
      'signaling_claims_total',
      'Names without a home that their registrar was asked for, by outcome. taken: no home had it; known: one had it already; unavailable: it did not answer. Stays at zero where there is one home.',
      { outcome: CLAIM_OUTCOMES },
    ),
    nodesSeen: family.gauge(
      'signaling_cluster_nodes',
      'Nodes whose lease in that home this node saw at its last beat there, itself included.',
      { home },
    ),
    namesakes: family.gauge(
      'signaling_node_namesakes',
      'Other living processes under the NODE_ID of this node, in that home: each needs one of its own.',
      { home },
    ),
    leaseTaken: family.gauge(
      'signaling_lease_taken',
      '1 while this node has a lease, so that the others would take over its sessions, else 0, by home.',
      { home },
    ),
    leasesLost: family.counter(
      'signaling_leases_lost_total',
      'Times the others took this node for dead: it had hung, or was cut off from that home, and dropped the connections of its rooms.',
      { home },
    ),
    sessionsSwept: family.counter(
      'signaling_sessions_swept_total',
      'Sessions of nodes that died which this node took over.',
    ),
    departuresOwed: family.gauge(
      'signaling_departures_owed',
      'Sessions that ended here and whose end the backplane has not confirmed yet.',
    ),
    rebuilds: family.counter(
      'signaling_homes_sealed_total',
      "Lives of the backplane in which this node took part in restoring what it had lost; the first is the node's start.",
    ),
  };
}

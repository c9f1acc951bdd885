import type { Family } from './catalogue.ts';

/** What every backplane has: doorbells and logs, leases, lives. */
export function backplaneMetrics(family: Family) {
  return {
    duplicates: family.counter(
      'signaling_duplicates_suppressed_total',
      'Records that rang again after they had been delivered.',
    ),
    repaired: family.counter(
      'signaling_gaps_repaired_total',
      'Records that no doorbell brought and that were read back from a log.',
    ),
    resyncs: family.counter(
      'signaling_resyncs_total',
      'Sessions that were given a snapshot because a log no longer reached back.',
    ),
    nodesSeen: family.gauge(
      'signaling_cluster_nodes',
      'Nodes whose lease this node saw at its last beat, itself included.',
    ),
    leaseTaken: family.gauge(
      'signaling_lease_taken',
      '1 while this node has a lease, so that the others would take over its sessions, else 0.',
    ),
    leasesLost: family.counter(
      'signaling_leases_lost_total',
      'Times the others took this node for dead: it had hung, or was cut off, and dropped its connections.',
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

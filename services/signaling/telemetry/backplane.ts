import { Counter, Gauge, type Registry } from 'prom-client';
import { SCRIPTS } from '../backplane/redis/scripts.ts';

export function backplaneMetrics(registry: Registry) {
  const registers = [registry];
  const redisUp = new Gauge({
    name: 'signaling_redis_up',
    help: '1 while Redis answers commands and this node hears its own doorbell, else 0. Always 1 on the memory backplane.',
    registers,
  });
  const duplicates = new Counter({
    name: 'signaling_duplicates_suppressed_total',
    help: 'Records that rang again after they had been delivered.',
    registers,
  });
  const repaired = new Counter({
    name: 'signaling_gaps_repaired_total',
    help: 'Records that no doorbell brought and that were read back from a log.',
    registers,
  });
  const resyncs = new Counter({
    name: 'signaling_resyncs_total',
    help: 'Sessions that were given a snapshot because a log no longer reached back.',
    registers,
  });
  const commandsFailed = new Counter({
    name: 'signaling_redis_commands_failed_total',
    help: 'Scripts that Redis did not answer in time or answered with an error, by script.',
    labelNames: ['script'],
    registers,
  });
  for (const script of Object.keys(SCRIPTS)) commandsFailed.inc({ script }, 0);
  const subscriptionsFailed = new Counter({
    name: 'signaling_redis_subscriptions_failed_total',
    help: 'Doorbell subscriptions that Redis did not confirm in time.',
    registers,
  });
  const adapterFailed = new Counter({
    name: 'signaling_adapter_failures_total',
    help: 'Ephemeral messages and subscriptions that the socket.io adapter could not hand to Redis.',
    registers,
  });
  const nodesSeen = new Gauge({
    name: 'signaling_cluster_nodes',
    help: 'Nodes whose lease this node saw at its last beat, itself included.',
    registers,
  });
  const sessionsSwept = new Counter({
    name: 'signaling_sessions_swept_total',
    help: 'Sessions of nodes that died which this node took over.',
    registers,
  });
  const rebuilds = new Counter({
    name: 'signaling_homes_sealed_total',
    help: "Lives of the backplane in which this node took part in restoring what it had lost; the first is the node's start.",
    registers,
  });
  const departuresOwed = new Gauge({
    name: 'signaling_departures_owed',
    help: 'Sessions that ended here and whose end the backplane has not confirmed yet.',
    registers,
  });
  return {
    redisUp,
    duplicates,
    repaired,
    resyncs,
    commandsFailed,
    subscriptionsFailed,
    adapterFailed,
    nodesSeen,
    sessionsSwept,
    departuresOwed,
    rebuilds,
  };
}

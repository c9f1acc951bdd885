import { CONNECTIONS } from '../backplane/redis/connect.ts';
import { SCRIPTS } from '../backplane/redis/scripts.ts';
import type { Family } from './catalogue.ts';

/** A script is given up after 0.6 s. */
const COMMAND_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.6];

/** What stays at zero on the memory backplane; but for the two gauges that say that all is well. */
export function redisMetrics(family: Family, home: readonly string[]) {
  const script = Object.keys(SCRIPTS);
  return {
    up: family.gauge(
      'signaling_redis_up',
      '1 while Redis answers commands and this node hears its own doorbell, else 0, by home. Always 1 on the memory backplane.',
      { home },
    ),
    doorbellUp: family.gauge(
      'signaling_doorbell_up',
      '1 while this node hears the doorbell that it rings itself once a second, else 0, by home. Always 1 on the memory backplane.',
      { home },
    ),
    doorbellLoop: family.histogram(
      'signaling_doorbell_loop_seconds',
      'From ringing that doorbell until it was heard, by home: the way there and back.',
      [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
      { home },
    ),
    commandDuration: family.histogram(
      'signaling_redis_command_duration_seconds',
      'From sending a script to Redis until its answer, by script; those that failed are in signaling_redis_commands_failed_total.',
      COMMAND_SECONDS,
      { script },
    ),
    commandsPending: family.gauge(
      'signaling_redis_commands_pending',
      'Scripts that Redis has not answered yet.',
    ),
    commandsFailed: family.counter(
      'signaling_redis_commands_failed_total',
      'Scripts that Redis did not answer in time or answered with an error, by home.',
      { home },
    ),
    reconnects: family.counter(
      'signaling_redis_reconnects_total',
      'Connections to Redis that were made anew after they had been lost, by home and connection.',
      { home, connection: CONNECTIONS },
    ),
    subscriptionsFailed: family.counter(
      'signaling_redis_subscriptions_failed_total',
      'Doorbell subscriptions that Redis did not confirm in time.',
    ),
    adapterFailed: family.counter(
      'signaling_adapter_failures_total',
      'Ephemeral messages and subscriptions that the socket.io adapter could not hand to Redis.',
    ),
  };
}

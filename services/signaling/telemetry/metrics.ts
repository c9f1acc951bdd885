import { backplaneMetrics } from './backplane.ts';
import { buildMetrics } from './build.ts';
import { Catalogue } from './catalogue.ts';
import { connectionMetrics } from './connections.ts';
import { messageMetrics } from './messages.ts';
import { operatorMetrics } from './operators.ts';
import { processMetrics } from './process.ts';
import { redisMetrics } from './redis.ts';
import { roomMetrics } from './rooms.ts';
import { tokenMetrics } from './tokens.ts';
import { webhookMetrics } from './webhooks.ts';

/** Every metric of a node, one family a file. `homes`: their names. */
export function openMetrics(homes: readonly string[] = ['main']) {
  const catalogue = new Catalogue();
  return {
    catalogue,
    registry: catalogue.registry,
    connections: connectionMetrics(catalogue.family('Connections')),
    rooms: roomMetrics(catalogue.family('Rooms and sessions')),
    messages: messageMetrics(catalogue.family('Requests and relay')),
    tokens: tokenMetrics(catalogue.family('Tokens and TURN')),
    backplane: backplaneMetrics(catalogue.family('Logs, leases and lives'), homes),
    redis: redisMetrics(catalogue.family('Redis'), homes),
    webhooks: webhookMetrics(catalogue.family('Webhooks')),
    operators: operatorMetrics(catalogue.family('Operators')),
    process: processMetrics(catalogue.family('Process')),
    build: buildMetrics(catalogue.family('Build')),
  };
}

export type Metrics = ReturnType<typeof openMetrics>;

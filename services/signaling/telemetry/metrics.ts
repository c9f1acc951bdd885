import { Registry } from 'prom-client';
import { backplaneMetrics } from './backplane.ts';
import { buildMetrics } from './build.ts';
import { connectionMetrics } from './connections.ts';
import { eventLoopMetrics } from './event-loop.ts';
import { messageMetrics } from './messages.ts';
import { roomMetrics } from './rooms.ts';
import { tokenMetrics } from './tokens.ts';
import { webhookMetrics } from './webhooks.ts';

/** Every metric of a node, one family a file. Labels come from closed sets, each of whose series starts at zero. */
export function openMetrics() {
  const registry = new Registry();
  return {
    registry,
    connections: connectionMetrics(registry),
    rooms: roomMetrics(registry),
    messages: messageMetrics(registry),
    tokens: tokenMetrics(registry),
    backplane: backplaneMetrics(registry),
    webhooks: webhookMetrics(registry),
    eventLoop: eventLoopMetrics(registry),
    build: buildMetrics(registry),
  };
}

export type Metrics = ReturnType<typeof openMetrics>;

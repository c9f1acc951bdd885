import type { NodeReport } from '../../../../services/web/console/admin-api.ts';

/** A node that is well, with what a test wants to be different. */
export function report(id: string, members: Partial<NodeReport> = {}): NodeReport {
  return {
    id,
    processes: 1,
    region: id.split('-')[0] ?? null,
    version: '0.1.0',
    connections: 10,
    connections_max: 100,
    peers: 8,
    rooms: 2,
    messages_per_second: 5,
    event_loop_delay_ms: 1,
    draining: false,
    admitting: true,
    uptime_s: 60,
    ...members,
  };
}

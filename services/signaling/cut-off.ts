import { timesToGo, toTellNow } from './domain/drain.ts';
import type { Connection } from './requests/context.ts';
import { homeOf } from './sockets/gateway.ts';

export interface CutOffOptions {
  readonly home: string;
  readonly resumeWindowMs: number;
  readonly nowMs: () => number;
  /** In [0, 1). */
  readonly chance: () => number;
  /** Every open connection. */
  readonly connections: () => Iterable<Connection>;
  /** Whether this node has not renewed its lease there for so long that others count its sessions out. */
  readonly isOverdue: () => boolean;
  readonly onTold: () => void;
  readonly onChange: (isCutOff: boolean) => void;
}

/**
 * Rule H2: whoever is here in a room of a home that this node cannot reach is asked to go to a node that may; paced over
 * a third of the window in which its session can be resumed there. To be called every DRAIN_STEP_MS. It is a wish, and
 * nobody is closed for staying: when the home is back before they went, they go on here.
 */
export function cutOff(options: CutOffOptions): () => void {
  const { home, resumeWindowMs, nowMs, isOverdue, onChange } = options;
  const overMs = resumeWindowMs / 3;
  let sinceMs: number | undefined;
  let told = new WeakSet<Connection>();

  function tell(connection: Connection): void {
    told.add(connection);
    const { reconnectAfterMs, deadlineMs } = timesToGo(overMs, options.chance());
    connection.send('go_away', {
      reason: 'rebalance',
      reconnect_after_ms: reconnectAfterMs,
      deadline_ms: deadlineMs,
    });
    options.onTold();
  }

  return () => {
    if (!isOverdue()) {
      if (sinceMs !== undefined) onChange(false);
      sinceMs = undefined;
      return;
    }
    if (sinceMs === undefined) {
      sinceMs = nowMs();
      told = new WeakSet();
      onChange(true);
    }
    const concerned = [...options.connections()].filter((each) => homeOf(each) === home && !told.has(each));
    for (const each of concerned.slice(0, toTellNow(concerned.length, nowMs() - sinceMs, 2 * overMs)))
      tell(each);
  };
}

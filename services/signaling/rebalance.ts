import type { Load } from './backplane/leases.ts';
import { BALANCED, type Balance, toRebalance } from './domain/balance.ts';
import type { Connection } from './requests/context.ts';

export interface RebalanceOptions {
  readonly nowMs: () => number;
  /** In [0, 1). */
  readonly chance: () => number;
  /** Every open connection. */
  readonly connections: ReadonlySet<Connection>;
  readonly isDraining: () => boolean;
  /** How the other living nodes stand. */
  readonly others: () => readonly Load[];
  readonly onTold: () => void;
  readonly onChange: (isShedding: boolean, clients: number) => void;
}

const RECONNECT_WITHIN_MS = 1_000;
const DEADLINE_MS = 30_000;
/** Whoever was asked and is still here after this time does not mean to go, and is not asked again. */
const LEAVES_WITHIN_MS = 10_000;

/**
 * Asks a few clients with each beat to go to nodes that have far fewer, such as one that has just been added. It is a
 * wish: nobody is closed for staying. To be called with each beat.
 */
export function rebalance(options: RebalanceOptions): () => void {
  const balance: Balance = { ...BALANCED };
  const asked = new WeakMap<Connection, number>();

  function ask(connection: Connection): void {
    asked.set(connection, options.nowMs());
    connection.send('go_away', {
      reason: 'rebalance',
      reconnect_after_ms: Math.floor(options.chance() * RECONNECT_WITHIN_MS),
      deadline_ms: DEADLINE_MS,
    });
    options.onTold();
  }

  return () => {
    const { connections, isDraining, others, nowMs, chance, onChange } = options;
    const loads = isDraining() ? [] : others().filter((load) => load.isAdmitting);
    const askedLately = nowMs() - LEAVES_WITHIN_MS;
    const staying = [...connections].filter(
      (each) => (asked.get(each) ?? Number.NEGATIVE_INFINITY) < askedLately,
    );
    const wasShedding = balance.isShedding;
    const count = toRebalance(
      balance,
      staying.length,
      loads.map((load) => load.connections),
      chance(),
    );
    if (balance.isShedding !== wasShedding) onChange(balance.isShedding, connections.size);
    const free = staying.filter((each) => !asked.has(each) && isFree(each));
    for (let n = 0; n < count && free.length > 0; n++)
      for (const each of free.splice(Math.floor(chance() * free.length), 1)) ask(each);
  };
}

/** Nothing of its client's is on its way: to move now would cost it a round of sending again. */
function isFree({ membership }: Connection): boolean {
  return membership === undefined || (membership !== 'joining' && !membership.isBusy);
}

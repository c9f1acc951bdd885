import type { Config } from './config.ts';
import type { Drain } from './drain.ts';
import type { Check } from './http/operators.ts';
import type { Keeping, NodeParts } from './keeping.ts';
import type { Operations } from './operations.ts';
import type { Gateway } from './sockets/gateway.ts';

/** What a node tells operators of itself. */
export interface Readiness {
  /** Whether it takes clients, question by question. */
  checks(): Readonly<Record<string, Check>>;
  /** Whether it was ready once. */
  isStarted(): boolean;
  /** Brings the gauges up to now, before a scrape. */
  refresh(): void;
}

interface Told {
  readonly gateway: Gateway;
  readonly drain: Drain;
  readonly operations: Operations;
}

export function readinessOf(
  config: Config,
  { backplane, metrics }: NodeParts,
  { keeper, feeds, departures, absences }: Keeping,
  { gateway, drain, operations }: Told,
): Readiness {
  let isStarted = false;

  function checks(): Record<string, Check> {
    const { answers, isSealed, rings, problem } = backplane.health();
    const why = problem === undefined ? {} : { problem };
    return {
      backplane_answers: { ok: answers, ...(answers ? {} : why) },
      backplane_rings: { ok: rings, ...(rings ? {} : why) },
      home_sealed: { ok: isSealed },
      lease_taken: { ok: keeper.isTaken },
      not_draining: { ok: !drain.isDraining },
      below_connections_max: { ok: gateway.connections.size < config.connectionsMax },
    };
  }

  function refresh(): void {
    const { answers, rings } = backplane.health();
    metrics.connections.connections.set(gateway.connections.size);
    metrics.connections.draining.set(drain.isDraining ? 1 : 0);
    metrics.rooms.rooms.set(feeds.size);
    metrics.rooms.peers.set(gateway.peers);
    metrics.rooms.absent.set(absences.size);
    metrics.backplane.redisUp.set(answers && rings ? 1 : 0);
    metrics.backplane.nodesSeen.set(keeper.nodesSeen);
    metrics.backplane.departuresOwed.set(departures.owed);
    metrics.webhooks.waiting.set(operations.webhooksWaiting);
  }

  return {
    checks,
    isStarted() {
      isStarted ||= Object.values(checks()).every((check) => check.ok);
      return isStarted;
    },
    refresh,
  };
}

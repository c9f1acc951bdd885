import type { Config } from './config.ts';
import type { Drain } from './drain.ts';
import { gaugesOf } from './gauges.ts';
import type { Homes } from './homes.ts';
import type { Check } from './http/operators.ts';
import type { NodeParts } from './keeping.ts';
import type { Operations } from './operations.ts';
import type { Gateway } from './sockets/gateway.ts';
import type { ReadinessCheck } from './telemetry/connections.ts';

/** What a node tells operators of itself. */
export interface Readiness {
  /** Whether it takes clients, question by question. */
  checks(): Readonly<Record<ReadinessCheck, Check>>;
  /** What is wrong, though clients are well. */
  warnings(): readonly string[];
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

export function readinessOf(config: Config, parts: NodeParts, homes: Homes, told: Told): Readiness {
  // The others may be away, and this region is served all the same.
  const { backplane, keeper } = homes.local;
  const { gateway, drain } = told;
  let isStarted = false;

  function checks(): Record<ReadinessCheck, Check> {
    const { answers, isSealed, rings, problem } = backplane.health();
    const why = problem === undefined ? {} : { problem };
    return {
      backplane_answers: { ok: answers, ...(answers ? {} : why) },
      backplane_rings: { ok: rings, ...(rings ? {} : why) },
      home_sealed: { ok: isSealed },
      lease_taken: { ok: keeper.isTaken },
      heartbeat: { ok: !keeper.isOverdue },
      not_draining: { ok: !drain.isDraining },
      below_connections_max: { ok: !gateway.places.isFull },
    };
  }

  function warnings(): string[] {
    if (keeper.namesakes === 0) return [];
    const text = `NODE_ID: ${keeper.namesakes} more living bear the name ${config.nodeId}; give each node one of its own`;
    return [text];
  }

  return {
    checks,
    warnings,
    isStarted() {
      isStarted ||= Object.values(checks()).every((check) => check.ok);
      return isStarted;
    },
    refresh: gaugesOf(config, parts, homes, { ...told, checks }),
  };
}

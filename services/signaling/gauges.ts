import type { Config } from './config.ts';
import type { Drain } from './drain.ts';
import type { Keeping, NodeParts } from './keeping.ts';
import type { Operations } from './operations.ts';
import type { Readiness } from './readiness.ts';
import type { Gateway } from './sockets/gateway.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { ROOM_SIZES, type RoomSize } from './telemetry/rooms.ts';

interface Told {
  readonly gateway: Gateway;
  readonly drain: Drain;
  readonly operations: Operations;
  readonly checks: Readiness['checks'];
}

/** Brings the gauges up to now, before a scrape: what nobody asks for costs nothing meanwhile. */
export function gaugesOf(
  config: Config,
  { backplane, metrics }: NodeParts,
  { keeper, feeds, departures, absences }: Keeping,
  { gateway, drain, operations, checks }: Told,
): () => void {
  const { connections, rooms } = metrics;
  connections.connectionsMax.set(config.connectionsMax);

  return () => {
    const { answers, rings } = backplane.health();
    connections.connections.set(gateway.connections.size);
    connections.waiting.set(gateway.newcomers);
    connections.packetsWaiting.set(gateway.packetsWaiting);
    connections.draining.set(drain.isDraining ? 1 : 0);
    for (const [check, { ok }] of Object.entries(checks())) connections.ready.set({ check }, ok ? 1 : 0);
    rooms.rooms.set(feeds.size);
    rooms.peers.set(gateway.peers);
    rooms.absent.set(absences.size);
    measureRooms(rooms, [...feeds.hosted()]);
    metrics.redis.up.set(answers && rings ? 1 : 0);
    metrics.redis.doorbellUp.set(rings ? 1 : 0);
    metrics.backplane.nodesSeen.set(keeper.nodesSeen);
    metrics.backplane.leaseTaken.set(keeper.isTaken ? 1 : 0);
    metrics.backplane.departuresOwed.set(departures.owed);
    metrics.webhooks.waiting.set(operations.webhooksWaiting);
    metrics.process.refresh();
  };
}

type Hosted = ReturnType<Keeping['feeds']['hosted']> extends Iterable<infer Feed> ? Feed : never;

function measureRooms(rooms: Metrics['rooms'], hosted: readonly Hosted[]): void {
  const nowMs = performance.now();
  const classes = Object.entries(ROOM_SIZES) as [RoomSize, number][];
  const bySize = new Map<RoomSize, number>();
  const tails = hosted.map(({ tail }) => tail);
  for (const { size = 0 } of hosted) {
    const [peers] = classes.find(([, most]) => size <= most) ?? [];
    if (peers !== undefined && size > 0) bySize.set(peers, (bySize.get(peers) ?? 0) + 1);
  }
  for (const [peers] of classes) rooms.bySize.set({ peers }, bySize.get(peers) ?? 0);
  rooms.logRecords.set(sum(tails.map(({ records }) => records)));
  rooms.logRecordsMax.set(tails.reduce((most, { records }) => Math.max(most, records), 0));
  rooms.logBytes.set(sum(tails.map(({ bytes }) => bytes)));
  const oldestMs = tails.reduce((oldest, { sinceMs = nowMs }) => Math.min(oldest, sinceMs), nowMs);
  rooms.logAge.set((nowMs - oldestMs) / 1_000);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

import type { Config } from './config.ts';
import type { Drain } from './drain.ts';
import type { HomeKeeping, Homes } from './homes.ts';
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
  { metrics }: NodeParts,
  homes: Homes,
  { gateway, drain, operations, checks }: Told,
): () => void {
  const { connections, rooms } = metrics;
  const over = (count: (home: HomeKeeping) => number) => sum(homes.all.map(count));
  connections.connectionsMax.set(config.connectionsMax);

  return () => {
    connections.connections.set(gateway.places.size);
    connections.unjoined.set(gateway.places.unjoined);
    connections.waiting.set(gateway.newcomers);
    connections.packetsWaiting.set(gateway.packetsWaiting);
    connections.draining.set(drain.isDraining ? 1 : 0);
    for (const [check, { ok }] of Object.entries(checks())) connections.ready.set({ check }, ok ? 1 : 0);
    rooms.rooms.set(homes.rooms);
    rooms.peers.set(gateway.peers);
    rooms.absent.set(over(({ absences }) => absences.size));
    measureRooms(
      rooms,
      homes.all.flatMap(({ feeds }) => [...feeds.hosted()]),
    );
    for (const home of homes.all) measureHome(metrics, home, home === homes.local);
    metrics.backplane.departuresOwed.set(over(({ departures }) => departures.owed));
    metrics.webhooks.waiting.set(operations.webhooksWaiting);
    metrics.process.refresh();
  };
}

function measureHome(
  { redis, backplane: counts }: Metrics,
  { backplane, keeper }: HomeKeeping,
  isLocal: boolean,
): void {
  const { home } = backplane;
  const { answers, rings } = backplane.health();
  redis.up.set({ home }, answers && rings ? 1 : 0);
  redis.doorbellUp.set({ home }, rings ? 1 : 0);
  counts.homeLocal.set({ home }, isLocal ? 1 : 0);
  counts.nodesSeen.set({ home }, keeper.nodesSeen);
  counts.namesakes.set({ home }, keeper.namesakes);
  counts.leaseTaken.set({ home }, keeper.isTaken ? 1 : 0);
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

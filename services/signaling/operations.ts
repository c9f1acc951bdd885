import { mergedDirectory } from './backplane/directories.ts';
import { DirectoryKeeper } from './backplane/directory-keeper.ts';
import type { Fact } from './backplane/journal.ts';
import { BEAT_MS, type Load } from './backplane/leases.ts';
import type { Config } from './config.ts';
import type { Drain } from './drain.ts';
import { type Homes, orderIn, roomsOf, standingOf } from './homes.ts';
import type { AdminOptions } from './http/admin/index.ts';
import { openJournalWriter } from './journal-writer.ts';
import type { NodeParts } from './keeping.ts';
import type { Gateway } from './sockets/gateway.ts';
import { VERSION } from './telemetry/build.ts';
import { openVitals, type Vitals } from './vitals.ts';
import { openWebhooks, type Webhooks } from './webhooks/index.ts';
import { WatchedRooms } from './webhooks/watched-rooms.ts';

/** The parts of a node that exist once all are open. */
export interface Running {
  readonly homes: Homes;
  readonly gateway: Gateway;
  readonly drain: Drain;
  readonly isAdmitting: () => boolean;
}

/** What operators see of a node, and what they may do through it. */
export interface Operations {
  readonly vitals: Vitals;
  /** How this node stands, for its leases: looked at anew for that of the local home, and told again to the others. */
  load(isLocal: boolean): Load;
  /** A fact for operators, into the cluster's journal. */
  note(fact: Fact): void;
  /** A home has lost its data: the directory of its rooms went with them. */
  lost(home: string): void;
  /** A change of a room that this process appended. */
  readonly onOwnRecord: Webhooks['take'];
  readonly webhooksWaiting: number;
  readonly admin: AdminOptions;
  /** To be called every BEAT_MS. */
  tick(): Promise<void>;
  /** Writes what is still to be written; the backplane is closed after it. */
  close(): Promise<void>;
}

/** `running` is asked for when the parts are open. */
export function openOperations(config: Config, parts: NodeParts, running: () => Running): Operations {
  const { backplanes, log } = parts;
  const startedAtMs = performance.now();
  const vitals = openVitals(() => performance.now());
  // Into each home, so that it can be read in the nearest, whatever link is cut.
  const journals = backplanes.map(({ journal }) =>
    openJournalWriter(journal, config.nodeId, () => new Date()),
  );
  const note = (fact: Fact) => {
    for (const journal of journals) journal.note(fact);
  };
  const webhooks = openHooks(config, parts);
  // Whoever does something posts it, so it must see what came of it.
  const watched =
    webhooks &&
    new WatchedRooms(
      () => running().homes.all.map(({ feeds }) => feeds),
      (room) => running().homes.of(room),
      () => performance.now(),
    );
  const directories = new Map(
    backplanes.map(({ home, directory }, at) => [
      home,
      new DirectoryKeeper(
        directory,
        () => running().homes.opened[at]?.feeds.sizes() ?? [],
        (over) => running().homes.locator.release(over),
      ),
    ]),
  );
  let load: Load | undefined;

  return {
    vitals,
    load(isLocal) {
      if (isLocal || load === undefined)
        load = loadOf(config, running(), performance.now() - startedAtMs, vitals.take());
      return load;
    },
    note,
    lost: (home) => directories.get(home)?.forget(),
    onOwnRecord: (room, record, peersLeft) => webhooks?.take(room, record, peersLeft),
    get webhooksWaiting() {
      return webhooks?.waiting ?? 0;
    },
    admin: {
      ...adminParts(config, parts, running),
      watching: (room, action) => watched?.during(room, action) ?? action(),
      audit(fact) {
        const { action, outcome } = fact;
        parts.metrics.operators.actions.inc({ action: String(action), outcome: String(outcome) });
        log.info(fact);
        // Who has no token must not push what others did out of the journal.
        if (fact.outcome !== 'unauthorized') note(fact);
      },
    },
    async tick() {
      watched?.tick();
      await Promise.all([
        ...[...directories.values()].map((directory) => directory.tell()),
        ...journals.map((journal) => journal.flush()),
      ]);
    },
    async close() {
      await Promise.all([...journals.map((journal) => journal.flush()), webhooks?.close()]);
      watched?.close();
    },
  };
}

function loadOf(
  config: Config,
  { gateway, homes, drain, isAdmitting }: Running,
  uptimeMs: number,
  vitals: ReturnType<Vitals['take']>,
): Load {
  return {
    connections: gateway.connections.size,
    isAdmitting: isAdmitting(),
    report: {
      region: config.region,
      ...(config.publicUrl === undefined ? {} : { publicUrl: config.publicUrl }),
      version: VERSION,
      connectionsMax: config.connectionsMax,
      peers: gateway.peers,
      rooms: homes.rooms,
      ...vitals,
      isDraining: drain.isDraining,
      uptimeS: Math.floor(uptimeMs / 1_000),
    },
  };
}

/** What the admin routes are given of the node as it is. */
function adminParts(
  config: Config,
  { backplanes, log }: NodeParts,
  running: () => Running,
): Omit<AdminOptions, 'watching' | 'audit'> {
  const homes = () => running().homes;
  return {
    tokens: config.adminTokens,
    version: VERSION,
    homes: backplanes.map(({ home }) => home),
    nodes: () => standingOf(homes()),
    order: (...args) => orderIn(homes())(...args),
    directory: mergedDirectory(new Map(backplanes.map(({ home, directory }) => [home, directory]))),
    rooms: roomsOf(homes),
    messageBytesMax: config.messageBytesMax,
    announce: (...args) => running().gateway.announcer.announce(...args),
    journal: { readAfter: (...args) => homes().local.backplane.journal.readAfter(...args) },
    failed: (route, error) => log.error({ event: 'admin_request_failed', route, err: error }),
  };
}

function openHooks({ webhooks }: Config, { metrics, log }: NodeParts): Webhooks | undefined {
  if (webhooks === undefined) return undefined;
  return openWebhooks({
    ...webhooks,
    onDone(outcome, { id, room }, problem) {
      metrics.webhooks.done.inc({ outcome });
      if (outcome === 'failed') log.warn({ event: 'webhook_failed', id, room, problem });
      // There may be very many of them at once; the metric counts them.
      if (outcome === 'dropped') log.debug({ event: 'webhook_dropped', id, room });
    },
  });
}

export const OPERATIONS_EVERY_MS = BEAT_MS;

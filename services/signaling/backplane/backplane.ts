import type { LogBounds } from '../domain/log-bounds.ts';
import type { Claims } from './claims.ts';
import type { Directory } from './directory.ts';
import type { EntriesPerMinute, EntryLimits } from './entry-limits.ts';
import type { Journal } from './journal.ts';
import type { Leases } from './leases.ts';
import type { Rebuilds } from './rebuilds.ts';
import type { Doorbell, RoomLog } from './room-log.ts';

/** What nodes share in one home, as one node sees it. */
export interface Backplane {
  readonly kind: 'redis' | 'memory';
  readonly home: string;
  readonly rooms: RoomLog;
  readonly claims: Claims;
  readonly leases: Leases;
  readonly directory: Directory;
  readonly journal: Journal;
  readonly entries: EntryLimits;
  readonly rebuilds: Rebuilds;
  readonly doorbell: Doorbell;
  /** The socket.io adapter for what may be lost: ephemeral messages and announcements. */
  readonly adapter: SocketAdapter;
  /** What readiness is made of. */
  health(): BackplaneHealth;
  close(): Promise<void>;
}

/** Handed to socket.io as its `adapter` option; opaque to everything between. */
// biome-ignore lint/suspicious/noExplicitAny: the type that socket.io itself gives to adapter constructors
export type SocketAdapter = any;

/** What comes behind it in the name of a socket.io room is a part of that room: who is in the part is in the whole, too. */
export const WITHIN = '/';

/**
 * The events that nodes send each other through the adapter (`announcements.ts`): what is to be told, and what came of it.
 * An adapter hands on no others: socket.io would take them for its own.
 */
export const SERVER_EVENTS = ['fenghuo:announce', 'fenghuo:announced'] as const;

export interface BackplaneHealth {
  /** Commands are answered. */
  readonly answers: boolean;
  /** Its home is sealed: what is missing there is really missing (rule R2). */
  readonly isSealed: boolean;
  /** A doorbell that this node rang itself came back lately. */
  readonly rings: boolean;
  /** What is wrong, in words for an operator. */
  readonly problem?: string;
}

/** What every adapter needs to know of the node that opens it. */
export interface BackplaneOptions {
  readonly incarnation: string;
  readonly bounds: LogBounds;
  /** None: nobody who comes in is counted. */
  readonly entriesPerMinute?: EntriesPerMinute;
}

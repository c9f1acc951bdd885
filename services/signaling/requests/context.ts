import type { EventName, Events, IceServer, PeerId, RemovedReason } from '@fenghuo/protocol';
import type { RoomFeeds } from '../backplane/room-feeds.ts';
import type { RoomLocator } from '../backplane/room-locator.ts';
import type { RoomLog } from '../backplane/room-log.ts';
import type { Network } from '../domain/address.ts';
import type { Identity } from '../domain/identity.ts';
import type { RoomId } from '../domain/room-id.ts';
import type { RoomRecord } from '../domain/room-record.ts';
import type { VerifyToken } from '../domain/token.ts';
import type { Absences } from './absences.ts';
import type { Departures } from './departures.ts';
import type { Sender } from './sender.ts';
import type { Session } from './session.ts';

/** What requests need of the home of a room. */
export interface RoomHome {
  /** Under which this process holds sessions there: random at each start, and anew after it was taken for dead. */
  readonly incarnation: string;
  readonly rooms: RoomLog;
  readonly feeds: RoomFeeds;
  readonly departures: Departures;
  readonly absences: Absences;
  /**
   * Whether this process may trust that its sessions there are its own: undefined, at once, unless it has not renewed its
   * lease for long.
   */
  awake(): Promise<boolean> | undefined;
}

/** What requests need of their node. */
export interface RequestContext {
  readonly location: { readonly node: string; readonly region: string };
  /** The names of all homes. */
  readonly homes: readonly string[];
  homeOf(room: RoomId): RoomHome;
  readonly locator: Pick<RoomLocator, 'locate' | 'isNamed' | 'isNamedByRegistrar'>;
  readonly roomPeersMax: number;
  readonly resumeWindowMs: number;
  /** None: the cluster is open, and a token counts for nothing. */
  readonly verifyToken: VerifyToken | undefined;
  /** With TURN credentials of that user's own. */
  iceServers(user: string): readonly IceServer[];
  /** How long they are good, in seconds. */
  readonly iceTtlS: number;
  /** Owed departures over which no join is taken: what could become a ghost stays bounded. */
  readonly departuresMax: number;
  /** One fact for the log, with a stable name in `event`. */
  log(fact: {
    readonly event: string;
    readonly room: RoomId;
    readonly peer: PeerId;
    readonly reason?: string;
    /** Whom an order was about, where it was about one, and what its author gave as his reason. */
    readonly target?: string;
    readonly note?: string;
  }): void;
  /** One more join or resume of theirs on any node: 0, or the milliseconds until it may be tried again. */
  countEntry(connection: Pick<Connection, 'identity' | 'network'>): number;
  /** How a resume went, and how many events it brought. */
  resumed(outcome: ResumeOutcome, missed: number): void;
  /** Delays the answer to a wrong resume token from there. */
  slowDown(network: Network): Promise<void>;
  nowMs(): number;
  /** By which tokens tell the time. */
  wallMs(): number;
  newPeerId(): PeerId;
  /** The same id for the same text, which cannot be guessed from it. */
  peerIdFrom(text: string): PeerId;
  newSecret(): string;
  hash(secret: string): string;
}

/** What requests need of the connection that they came on. */
export interface Connection {
  /** `joining` while a join is under way. */
  membership: Session | 'joining' | undefined;
  /** Where the join or resume that is under way leads, once it is made in the name of this process. */
  heading: RoomId | undefined;
  /** A join whose outcome is unknown: its next try continues it under the same peer id. */
  unsettledJoin: UnsettledJoin | undefined;
  /** The id of the last leave, whose repeat gets the same answer. */
  lastLeaveId: number | undefined;
  /** Where it came from: the address, and what of it is one sender. */
  readonly address: string;
  readonly network: Network;
  /** To whom its requests are charged. */
  readonly sender: Sender;
  /** For whom it speaks, by its token; a fresh one may replace it. */
  identity: Identity;
  readonly isOpen: boolean;
  send<Name extends EventName>(event: Name, payload: Events[Name]): void;
  sendRecord(record: RoomRecord): void;
  /** Resolves once the client has taken what was sent, or is gone. */
  taken(): Promise<void>;
  /** Begins or ends taking part in what a room's members may lose. */
  enter(room: RoomId, peer: PeerId): void;
  exit(room: RoomId, peer: PeerId): void;
  relayEphemeral(room: RoomId, to: PeerId | undefined, payload: Events['message']): void;
  /** Tells that the session is over or elsewhere, and who ended it, and closes. */
  remove(reason: RemovedReason, by?: PeerId): void;
  /** Closes so that the client connects anew. */
  drop(reason: DropReason): void;
}

/**
 * Why a node closes a connection of its own accord. flooding: it went on and on against its limits; crowded: it was in no room, and
 * its place was needed; not_joined: it was in no room for too long.
 */
export const DROP_REASONS = [
  'session_lost',
  'shutdown',
  'drain',
  'slow_reader',
  'flooding',
  'crowded',
  'not_joined',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export type ResumeOutcome = 'recovered' | 'snapshot';

export interface UnsettledJoin {
  readonly room: RoomId;
  readonly peer: PeerId;
  readonly key: string | undefined;
  readonly secret: string;
}

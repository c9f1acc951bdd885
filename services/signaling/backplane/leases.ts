import { endpointUrl, ID_PATTERN, NOTICE_CHARS_MAX } from '@fenghuo/protocol';
import type { Result } from '../domain/result.ts';
import type { RoomId } from '../domain/room-id.ts';
import type { Adopted } from './room-log.ts';

/** How often a node renews its lease, and how long one may stand unchanged before its process counts as dead. */
export const BEAT_MS = 1_000;
export const LEASE_MS = 6_000;

/** A process as the others see it. `count` rises with each beat: no clock of any node is compared (rule C2). */
export interface Lease {
  readonly incarnation: string;
  readonly nodeId: string;
  readonly count: number;
  /** The process gave it up in order: whoever sees it takes over what is left. */
  readonly isGivenUp: boolean;
  /** None before its first beat. */
  readonly load?: Load;
}

/** What a process says of itself with each beat. */
export interface Load {
  readonly connections: number;
  /** It takes new connections: neither draining nor full. */
  readonly isAdmitting: boolean;
  /** For operators; what a process of another version does not tell is missing. */
  readonly report?: Partial<NodeReport>;
}

export interface NodeReport {
  readonly region: string;
  /** Where clients enter its region from outside; missing, too, where it was not told. */
  readonly publicUrl: string;
  readonly version: string;
  readonly connectionsMax: number;
  /** Peers whose connection is there, and rooms that it hosts. */
  readonly peers: number;
  readonly rooms: number;
  /** Requests answered, since the beat before. */
  readonly messagesPerSecond: number;
  /** The worst since the beat before. */
  readonly eventLoopDelayMs: number;
  readonly isDraining: boolean;
  /** On its own clock. */
  readonly uptimeS: number;
}

const REPORTED: Readonly<Record<keyof NodeReport, (value: unknown) => boolean>> = {
  region: (value) => typeof value === 'string' && ID_PATTERN.test(value),
  publicUrl: (value) => isText(value) && endpointUrl.safeParse(value).success,
  version: isText,
  connectionsMax: isCount,
  peers: isCount,
  rooms: isCount,
  messagesPerSecond: isMeasure,
  eventLoopDelayMs: isMeasure,
  isDraining: (value) => typeof value === 'boolean',
  uptimeS: isCount,
};

/** Longer than any URL that a node is reached by. */
const REPORTED_CHARS_MAX = 2_048;

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= REPORTED_CHARS_MAX;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && isMeasure(value);
}

function isMeasure(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

/** What can be understood of a report; undefined where the text is none. */
export function parseReport(text: string): Partial<NodeReport> | undefined {
  try {
    const given = Object.entries(JSON.parse(text) as object);
    return Object.fromEntries(
      given.filter(
        ([name, value]) => Object.hasOwn(REPORTED, name) && REPORTED[name as keyof NodeReport](value),
      ),
    );
  } catch {
    return undefined;
  }
}

/** What operators want of a process, until they want something else (rule C8). */
export interface Order {
  readonly drain: boolean;
  /** Shown to the people who are sent away. */
  readonly text?: string;
}

/** What can be understood of an order; undefined where the text is none. */
export function parseOrder(text: string): Order | undefined {
  try {
    const order: unknown = JSON.parse(text);
    if (typeof order !== 'object' || order === null) return undefined;
    const { drain, text: words } = order as Record<string, unknown>;
    if (typeof drain !== 'boolean' || !isNotice(words)) return undefined;
    return words === undefined ? { drain } : { drain, text: words };
  } catch {
    return undefined;
  }
}

function isNotice(words: unknown): words is string | undefined {
  return words === undefined || (typeof words === 'string' && words.length <= NOTICE_CHARS_MAX);
}

/** A process that beats. */
export interface LeaseHolder {
  readonly incarnation: string;
  readonly nodeId: string;
  readonly load: Load;
  /** The order that it follows: kept by a backplane that knows of none, since it lost it, or knew another incarnation. */
  readonly order: Order | undefined;
}

/** What a beat brings back. */
export interface Beat {
  readonly leases: readonly Lease[];
  /** What operators want of this process; none: they have not said. */
  readonly order: Order | undefined;
}

/**
 * Which processes live, and in which rooms each may hold sessions: so that the survivors of one that died can end
 * what it held, at a cost of what it held. Calls never reject.
 */
export interface Leases {
  /** Takes a lease (again, where it was swept): the beats that follow renew it. */
  take(holder: LeaseHolder): Promise<Result<Beat, 'unavailable'>>;
  /** Renews, and tells of all leases. `swept`: the others took this process for dead. */
  renew(holder: LeaseHolder): Promise<Result<Beat, 'swept' | 'unavailable'>>;
  /** Leaves an order for the processes that bear the node's id now: each reads it at its next beat. */
  order(nodeId: string, order: Order): Promise<Result<void, 'node_not_found' | 'unavailable'>>;
  /**
   * Whether each step that gives a process a session (`join`, `resume`, `detach`, `release`) notes the room itself, as one
   * step with it: nothing is to be noted before them.
   */
  readonly areNotedByEntry: boolean;
  /** Notes that the process may hold sessions of the rooms: before any of them is created (rule C7). */
  hold(incarnation: string, rooms: readonly RoomId[]): Promise<Result<void, 'unavailable'>>;
  release(incarnation: string, room: RoomId): void;
  /** Gives the lease up: the others take over at once. */
  giveUp(incarnation: string): Promise<void>;
  /**
   * Detaches every session that a dead process held and makes its adopter responsible for the windows, room by room,
   * and ends the lease last. `adopt` is awaited before a room is changed (rule C7), and told of the room's sessions
   * after it. May be cut off anywhere, and done by several at once: each session is detached and adopted once.
   */
  sweep(dead: string, adopter: Adopter): Promise<Result<number, 'unavailable'>>;
}

export interface Adopter {
  readonly incarnation: string;
  /** Notes that the adopter may hold sessions of the rooms. Resolves to whether it could. */
  prepare(rooms: readonly RoomId[]): Promise<boolean>;
  /** What it holds of a room now; none: somebody else took them over, or they are gone. */
  adopt(room: RoomId, sessions: readonly Adopted[]): void;
}

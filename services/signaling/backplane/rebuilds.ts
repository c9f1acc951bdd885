import type { PeerId } from '@fenghuo/protocol';
import type { Restored } from '../domain/restore.ts';
import type { Result } from '../domain/result.ts';
import type { RoomId } from '../domain/room-id.ts';

/** How far the restoring of a home is. Until it is sealed, what is missing there is no evidence (rule R2). */
export interface Barrier {
  readonly isSealed: boolean;
  /** The processes that had handed in their rooms when it was sealed. */
  readonly contributors: readonly string[];
}

/**
 * What a room's restoring may find: `open`: it goes on already; `closed`: it had ended; `elsewhere`: it is not in that life
 * (it lies on another shard, or the life is over).
 */
export type ContributionOutcome = 'taken' | 'open' | 'closed' | 'elsewhere';

/** What there is to restore a room from. Undefined: it is open already, or not in that life. */
export type Remains =
  | { readonly left: Contribution | undefined; readonly handedIn: readonly HandedIn[] }
  | undefined;

export interface HandedIn {
  /** The process that hosts the room. */
  readonly by: string;
  /** A contribution as JSON, or `NOTHING_NEWER` where it knows no more than what is there. */
  readonly text: string;
}

export const NOTHING_NEWER = '-';

export interface Contribution {
  /** A room's state as JSON, see `serializeState`; and the newest records of its log. */
  readonly state: string;
  readonly records: readonly string[];
  /** Whom the records concerned that were dropped from it, see `Trimmed`. */
  readonly trimmed: {
    readonly from: number;
    readonly everyone: number;
    readonly one: readonly (readonly [PeerId, number])[];
  };
}

/**
 * How nodes restore what a backplane lost. A life is one continuous existence of the backplane's data: after a restart,
 * a failover or a flush another one begins, in which nothing is written until its home is sealed. Calls never reject.
 */
export interface Rebuilds {
  /** Takes part in the barrier of a life, and names the processes that are known to live. */
  enter(
    life: string,
    self: { readonly incarnation: string; readonly nodeId: string; readonly hosts: boolean },
    known: readonly string[],
  ): Promise<Result<Barrier, 'unavailable'>>;
  /** All that this process knows is handed in. */
  done(life: string, incarnation: string): Promise<Result<Barrier, 'unavailable'>>;
  /** How far it is. `unavailable` also where the barrier that the process had entered is lost: it has to enter again. */
  look(life: string, incarnation: string): Promise<Result<Barrier, 'unavailable'>>;
  /** Says that this process hosts a room, and hands it in where it is newer than what is there: only then is it asked for. */
  contribute(
    room: RoomId,
    life: string,
    incarnation: string,
    at: { readonly epoch: number; readonly seq: number },
    contribution: () => string,
  ): Promise<Result<ContributionOutcome, 'unavailable'>>;
  remains(room: RoomId, life: string): Promise<Result<Remains, 'unavailable'>>;
  /**
   * Opens a room in a life; undefined: as the backplane has it; `ended`: not any more. Whoever is first decides: true
   * for that one.
   */
  open(
    room: RoomId,
    life: string,
    restored: Restored | 'ended' | undefined,
  ): Promise<Result<boolean, 'unavailable'>>;
  /** From now on this node's calls go through in that life. */
  seal(life: string): void;
  /** Set by the one who restores. A call met a life in which the home is not sealed: nothing was written (rule R1). */
  onUnsealed: (life: string) => void;
  /** Set by the one who restores. A call met a room of a sealed life that was handed in and is not open yet. */
  onUnopened: (room: RoomId, life: string) => void;
}

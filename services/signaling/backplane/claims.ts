import type { Result } from '../domain/result.ts';

/**
 * Which home each name without a suffix belongs to, as the names' registrar has it (rule H1). A claim is made by the first
 * join, kept by the nodes that host its room, and let go a minute after they said that the room is over: whoever was told
 * of it meanwhile has long joined, or given up. Calls never reject.
 */
export interface Claims {
  /** The home of a name: the one that claimed it first, or this one from now on. */
  claim(name: string, home: string): Promise<Result<Claimed, 'unavailable'>>;
  /** Keeps a claim, as long as a node hosts its room. False: the name is not that home's. */
  renew(name: string, home: string): Promise<Result<boolean, 'unavailable'>>;
  /** Its room is over: the claim ends in a minute, unless somebody asks for it again. */
  release(name: string, home: string): Promise<Result<void, 'unavailable'>>;
  /** Writes a claim into a life of the registrar, where nobody else has; nothing where the name does not lie in that life. */
  restore(name: string, home: string, life: string): Promise<Result<void, 'unavailable'>>;
}

export interface Claimed {
  readonly home: string;
  /** Nobody had claimed the name before. */
  readonly isNew: boolean;
}

/**
 * A claim that nobody has renewed yet: its join failed, or its room was over before anybody could. A node renews those of its
 * rooms within a second or two.
 */
export const ASKED_TTL_MS = 120_000;
/** The garbage net of claims whose nodes all died. */
export const CLAIM_TTL_MS = 24 * 3_600_000;
/** A join that was told a room's home comes there within a second or two. */
export const RELEASED_TTL_MS = 60_000;

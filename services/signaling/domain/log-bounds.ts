/**
 * How much of a room's log is kept (rule D5). A log keeps every record that is younger than the age, so a peer that resumes
 * within its window finds what was written for it. The writing of members is bounded instead.
 */
export interface LogBounds {
  /** A log drops no younger record to make place for what a member writes. It is a little over the resume window. */
  readonly ageMs: number;
  /**
   * How much the members of a room may write within one age; beyond it they have to wait. Any member may use up the first half.
   * Each member has an equal part of the second half, so a member that floods the room does not silence the others.
   */
  readonly writtenBytesMax: number;
  /**
   * The cap on the bytes of one room's log. It holds the writing of two ages, since old records go within a second age, and
   * records that cannot be refused, such as a peer's leaving. Only over the cap do young records go.
   */
  readonly bytesMax: number;
}

/**
 * How many records an append drops at most. To drop all records of a busy room at once would delay every other room. An append
 * drops more only where the log would otherwise become larger. The scripts have the same number.
 */
export const DROPPED_AT_ONCE = 32;

/** How many a comparison of heads drops, and an append that would otherwise be refused. */
export const DROPPED_IN_SILENCE = 256;
export const DROPPED_FOR_PLACE = 512;

export function defaultLogBounds(resumeWindowMs: number): LogBounds {
  return {
    ageMs: Math.round(resumeWindowMs * 1.2),
    writtenBytesMax: 48 * 1_048_576,
    bytesMax: 128 * 1_048_576,
  };
}

/** A member's part of the second half. */
export function partOf({ writtenBytesMax }: LogBounds, members: number): number {
  return writtenBytesMax / 2 / Math.max(members, 1);
}

/** Over this size a log takes no newcomer, so that the rest is left for records that cannot be refused. */
export function bytesForNewcomers({ bytesMax }: LogBounds): number {
  return (bytesMax * 7) / 8;
}

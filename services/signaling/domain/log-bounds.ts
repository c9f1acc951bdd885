/**
 * How much of a room's log is kept (rule D5): all that is younger than the age, so that whoever comes back within the resume
 * window finds what was written for him, whatever others write. What members may write is bounded instead.
 */
export interface LogBounds {
  /** Nothing younger is dropped to make place for what a member writes: a little over the resume window. */
  readonly ageMs: number;
  /**
   * What a room's members may write within one age. The first half is for whoever comes first, and of the other half each
   * member has an equal part: who floods a room does not silence it. Beyond that they are told to wait.
   */
  readonly writtenBytesMax: number;
  /**
   * The cap on the bytes of one room's log: twice that, since what is too old goes within a second age, and a quarter for what
   * has to be told in any case, such as who left. Only where even that is used up, the oldest goes though it is young.
   */
  readonly bytesMax: number;
}

/**
 * What is over a bound goes by so many at a time, with what is said next: all that a busy room said within the age would hold
 * up every other room. More go only where a log would else be larger than before. Scripts do the same.
 */
export const DROPPED_AT_ONCE = 32;

/** Where nothing is said, so many go each time that a node compares heads; and where somebody waits for place, these. */
export const DROPPED_IN_SILENCE = 256;
export const DROPPED_FOR_PLACE = 512;

export function defaultLogBounds(resumeWindowMs: number): LogBounds {
  return {
    ageMs: Math.round(resumeWindowMs * 1.2),
    writtenBytesMax: 48 * 1_048_576,
    bytesMax: 128 * 1_048_576,
  };
}

/** What a member may take of the half that is shared out. */
export function partOf({ writtenBytesMax }: LogBounds, members: number): number {
  return writtenBytesMax / 2 / Math.max(members, 1);
}

/** Over this a log takes no newcomer: each would write into the part that is for what has to be told. */
export function bytesForNewcomers({ bytesMax }: LogBounds): number {
  return (bytesMax * 7) / 8;
}

/**
 * How much of a room's log is kept. The bounds grow with the room's members, and one session's budget
 * (budget.ts) is what it may write within the age: so one sender cannot push off what the others sent.
 */
export interface LogBounds {
  readonly eventsPerMember: number;
  readonly bytesPerMember: number;
  /** The cap on the bytes of one room's log, whatever its members. */
  readonly bytesMax: number;
  /** Events younger than this are not dropped for their age: a little over the resume window. */
  readonly ageMs: number;
}

/**
 * What is over a bound goes by so many at a time, with what is said next: all that a busy room said within the age, or the
 * share of a member who left, would hold up every other room. More go only where a log would else be larger than before.
 * Scripts do the same.
 */
export const DROPPED_AT_ONCE = 32;

export function defaultLogBounds(resumeWindowMs: number): LogBounds {
  return {
    eventsPerMember: 5_600,
    bytesPerMember: 4 * 1_048_576,
    bytesMax: 64 * 1_048_576,
    ageMs: Math.round(resumeWindowMs * 1.2),
  };
}

/** The limits of a room of that many members. */
export function limitsFor(bounds: LogBounds, members: number): { events: number; bytes: number } {
  return {
    events: bounds.eventsPerMember * Math.max(members, 1),
    bytes: Math.min(bounds.bytesPerMember * Math.max(members, 1), bounds.bytesMax),
  };
}

import type { Peer } from '@fenghuo/protocol';

const EXAMPLES_MAX = 12;

/** The name of whoever only looks at a room's roster. */
export const PROBE = 'probe';

/** What one observer's roster says, against who is there. */
export interface RosterCheck {
  /** In a roster, though the session is over. */
  ghosts: number;
  /** There, but in no roster of this observer. */
  missing: number;
  /** There, and shown as detached. */
  detached: number;
  examples: string[];
}

/** Whom one observer sees in a room. */
export interface RosterView {
  readonly who: string;
  readonly room: string;
  readonly roster: readonly Peer[];
  /** Its own id, where it is in the room itself. */
  readonly self?: string;
}

/** Holds rosters against the truth: everyone whose session lives, and nobody else. */
export function checkRosters(
  views: readonly RosterView[],
  living: ReadonlyMap<string, ReadonlySet<string>>,
): RosterCheck {
  const check: RosterCheck = { ghosts: 0, missing: 0, detached: 0, examples: [] };
  const example = (text: string) => check.examples.length < EXAMPLES_MAX && check.examples.push(text);
  for (const { who, room, roster, self } of views) {
    const expected = new Set(living.get(room));
    if (self !== undefined) expected.delete(self);
    for (const { id, connected, name } of roster) {
      if (name === PROBE) continue;
      if (!expected.delete(id)) {
        check.ghosts += 1;
        example(`ghost: ${who} sees ${id} in ${room}`);
      } else if (!connected) {
        check.detached += 1;
        example(`detached: ${who} sees ${id} in ${room} without a connection`);
      }
    }
    for (const id of expected) {
      check.missing += 1;
      example(`missing: ${who} does not see ${id} in ${room}`);
    }
  }
  return check;
}

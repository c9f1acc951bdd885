import type { PeerId } from '@fenghuo/protocol';
import type { RoomRecord } from './room-record.ts';
import { applyRecord, type MemberState, type RoomState } from './room-state.ts';

/** A room as one source knew it: its state at a seq, and records before and after it. */
export interface Known {
  readonly state: RoomState;
  readonly records: readonly RoomRecord[];
}

/** A room put together again. */
export interface Restored {
  readonly state: RoomState;
  /** The life that it continues: nothing of it is missing after `completeFrom` up to `head`. */
  readonly former: { readonly epoch: number; readonly completeFrom: number; readonly head: number };
  /** The log without a gap, oldest first. */
  readonly records: readonly RoomRecord[];
}

/**
 * Puts a room together from what several sources knew of it (rules R3 and R4): the state at the greatest head of the
 * latest epoch, and every record that any of them kept, so that nothing is lost that one living node has. It goes on
 * under a new epoch: a seq that only a dead node gave out must not be taken for one of those that follow.
 * Sessions whose process did not take part are detached, and those without a process are handed to `adopter`.
 */
export function restore(
  sources: readonly Known[],
  contributors: ReadonlySet<string>,
  adopter: string,
): Restored | undefined {
  const epoch = Math.max(...sources.map((source) => source.state.epoch));
  const latest = sources.filter((source) => source.state.epoch === epoch);
  const base = latest.toSorted((a, b) => b.state.seq - a.state.seq)[0];
  if (base === undefined) return undefined;
  const bySeq = new Map<number, RoomRecord>();
  for (const { records } of latest) for (const record of records) bySeq.set(record.seq, record);
  const { state } = base;
  const head = Math.max(state.seq, ...bySeq.keys());
  for (let seq = state.seq + 1; seq <= head; seq++) {
    const record = bySeq.get(seq);
    if (record !== undefined) applyRecord(state, record);
  }
  let completeFrom = head;
  while (bySeq.has(completeFrom)) completeFrom--;
  state.seq = head;
  state.epoch = epoch + 1;
  for (const member of state.members.values()) takeOver(member, contributors, adopter);
  const records = [...bySeq.values()].filter((record) => record.seq > completeFrom);
  return {
    state,
    former: { epoch, completeFrom, head },
    records: records.sort((a, b) => a.seq - b.seq),
  };
}

/** What a restored room hands to the one that opened it: sessions without a connection, whose windows it counts. */
export function detachedOf(state: RoomState, owner: string): { peer: PeerId; generation: number }[] {
  return [...state.members.values()]
    .filter((member) => !member.peer.connected && member.incarnation === owner)
    .map(({ peer, requests }) => ({ peer: peer.id, generation: requests.generation }));
}

function takeOver(member: MemberState, contributors: ReadonlySet<string>, adopter: string): void {
  if (contributors.has(member.incarnation)) return;
  member.incarnation = adopter;
  if (!member.peer.connected) return;
  member.peer = { ...member.peer, connected: false };
  member.requests.generation += 1;
}

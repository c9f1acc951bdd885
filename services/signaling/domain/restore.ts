import type { PeerId } from '@fenghuo/protocol';
import { heirOf } from './moderation.ts';
import type { RoomRecord } from './room-record.ts';
import { applyRecord, type MemberState, type RoomState } from './room-state.ts';

/** What a source had no more of the records after `from`: the last that was for everyone, and for one (rule D1). */
export interface Trimmed {
  readonly from: number;
  readonly everyone: number;
  readonly one: ReadonlyMap<PeerId, number>;
}

/** A room as one source knew it: its state at a seq, and records before and after it, by seq. */
export interface Known {
  readonly state: RoomState;
  readonly records: readonly RoomRecord[];
  readonly trimmed: Trimmed;
}

/** A room put together again. */
export interface Restored {
  readonly state: RoomState;
  /** The life that it continues: nothing of it is missing after `completeFrom` up to `head`, but what `trimmed` says. */
  readonly former: { readonly epoch: number; readonly completeFrom: number; readonly head: number };
  readonly trimmed: Omit<Trimmed, 'from'>;
  /** The log without a gap up to the head, oldest first. */
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
  const epoch = sources.reduce((latest, { state }) => Math.max(latest, state.epoch), 0);
  const latest = sources.filter((source) => source.state.epoch === epoch);
  const base = latest.toSorted((a, b) => b.state.seq - a.state.seq)[0];
  if (base === undefined) return undefined;
  const { state } = base;
  const bySeq = new Map<number, RoomRecord>();
  let head = state.seq;
  for (const { records } of latest) {
    for (const record of records) {
      bySeq.set(record.seq, record);
      head = Math.max(head, record.seq);
    }
  }
  for (let seq = state.seq + 1; seq <= head; seq++) {
    const record = bySeq.get(seq);
    if (record !== undefined) applyRecord(state, record);
  }
  let gapAt = head;
  while (bySeq.has(gapAt)) gapAt--;
  const { completeFrom, trimmed } = reach(base, gapAt);
  state.seq = head;
  state.epoch = epoch + 1;
  inherit(state);
  for (const member of state.members.values()) takeOver(member, contributors, adopter);
  const records = [...bySeq.values()].filter((record) => record.seq > gapAt);
  records.sort((a, b) => a.seq - b.seq);
  return { state, former: { epoch, completeFrom, head }, trimmed, records };
}

/** The record that made somebody host may be lost, where that of the former one's leaving is not. */
function inherit(state: RoomState): void {
  const heir = heirOf(state);
  const member = heir === undefined ? undefined : state.members.get(heir.peer.id);
  if (heir !== undefined && member !== undefined) member.peer = heir.peer;
}

/**
 * How far back the log is as good as whole, where it has every record after `gapAt`: further than that, if the base knew
 * whom each record concerned that it had dropped before.
 */
function reach(
  { state, records, trimmed }: Known,
  gapAt: number,
): { completeFrom: number; trimmed: Omit<Trimmed, 'from'> } {
  const oldest = records[0]?.seq ?? state.seq + 1;
  if (gapAt >= Math.min(oldest, state.seq + 1) || gapAt <= trimmed.from)
    return { completeFrom: gapAt, trimmed: { everyone: gapAt, one: new Map() } };
  const missing = (seq: number) => Math.min(seq, gapAt);
  return {
    completeFrom: trimmed.from,
    trimmed: {
      everyone: missing(trimmed.everyone),
      one: new Map([...trimmed.one].map(([peer, seq]) => [peer, missing(seq)])),
    },
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

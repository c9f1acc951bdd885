import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PeerId, type RemovedReason, UNANSWERED_MAX } from '@fenghuo/protocol';
import { afterEach, expect } from 'vitest';
import type { Backplane } from '../../services/signaling/backplane/backplane.ts';
import { RoomFeeds } from '../../services/signaling/backplane/room-feeds.ts';
import type {
  Comeback,
  Entered,
  Newcomer,
  Resumed,
  RoomSnapshot,
  SessionRef,
} from '../../services/signaling/backplane/room-log.ts';
import type { Listener, Seat } from '../../services/signaling/backplane/room-seat.ts';
import type { Person } from '../../services/signaling/domain/identity.ts';
import { defaultLogBounds, type LogBounds } from '../../services/signaling/domain/log-bounds.ts';
import type { RequestRef } from '../../services/signaling/domain/request-order.ts';
import type { Result } from '../../services/signaling/domain/result.ts';
import { type JoinRoles, OPEN_ROOM_ROLES } from '../../services/signaling/domain/roles.ts';
import { type RoomId, roomId } from '../../services/signaling/domain/room-id.ts';
import { parseRecord, type RoomRecord } from '../../services/signaling/domain/room-record.ts';
import type { RoomState } from '../../services/signaling/domain/room-state.ts';
import { eventually } from '../support/eventually.ts';

/** One backplane that several nodes share; each `open` is one node's own view of it. */
export interface SharedBackplane {
  open(bounds?: LogBounds): Promise<Backplane>;
  close(): Promise<void>;
  /** Its doorbells lose rings on purpose, so only a comparison of heads finds the last ones. */
  readonly losesRings?: boolean;
}

/** A join as a node would make it. */
export function newcomer(room: RoomId, given: { name: string } & JoinOptions): Newcomer {
  return {
    room,
    peer: given.peer ?? (randomBytes(12).toString('base64url') as PeerId),
    generation: 1,
    profile: { name: given.name, metadata: given.metadata ?? null },
    location: { node: 'node', region: 'region' },
    incarnation: given.incarnation ?? 'incarnation',
    roles: given.roles ?? OPEN_ROOM_ROLES,
    person: given.person ?? (`~${given.name}` as Person),
    peersMax: given.peersMax ?? 100,
    wantsState: given.wantsState ?? false,
    tokenHash: given.tokenHash ?? `hash of ${given.name}`,
  };
}

export interface JoinOptions {
  readonly peersMax?: number;
  readonly roles?: JoinRoles;
  readonly person?: Person;
  readonly wantsState?: boolean;
  readonly peer?: PeerId;
  readonly metadata?: unknown;
  readonly incarnation?: string;
  readonly tokenHash?: string;
}

/** Some turns of the event loop, in which a network would bring things. */
function turns(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3));
}

/** Sends again what is `unavailable`, as a client does: under the same peer id it changes nothing twice. */
export async function untilAnswered<Outcome extends { ok: boolean; code?: string }>(
  call: () => Promise<Outcome>,
): Promise<Outcome> {
  for (let tries = 0; ; tries++) {
    const outcome = await call();
    if (outcome.code !== 'unavailable' || tries === 20) return outcome;
    await sleep(25);
  }
}

/** Opens nodes that share a backplane of their own; what a test opened is closed after it. */
export function nodesOf(share: () => Promise<SharedBackplane>) {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  return async (count: number, bounds?: LogBounds): Promise<TestNode[]> => {
    const shared = await share();
    cleanups.push(() => shared.close());
    return Promise.all(
      Array.from({ length: count }, async () => {
        const node = new TestNode(await shared.open(bounds), shared.losesRings ?? false);
        cleanups.push(() => node.close());
        return node;
      }),
    );
  };
}

export function signalTo(to: PeerId, n: unknown) {
  return { type: 'signal' as const, to, echo: false, body: JSON.stringify({ n }) };
}

export function messageToAll(n: unknown) {
  return { type: 'message' as const, to: undefined, echo: false, body: JSON.stringify({ n }) };
}

/** What a member got of a type, by the `n` of each body. */
export function numbers(member: Member, type: RoomRecord['type']): unknown[] {
  return member.got(type).map((record) => (JSON.parse(record.body) as { n: unknown }).n);
}

/** The state without answers that are too old for a repeat: where they are kept longer, nobody gets them (rule Q3). */
export function withAnswersThatCount(state: RoomState): RoomState {
  for (const { requests } of state.members.values()) {
    for (const id of requests.answers.keys())
      if (id <= requests.lastId - UNANSWERED_MAX) requests.answers.delete(id);
  }
  return state;
}

/** One node's view, with its own feeds, and a doorbell that a test can make deaf. */
export class TestNode {
  readonly backplane: Backplane;
  readonly feeds: RoomFeeds;
  readonly losesRings: boolean;
  drops: (record: RoomRecord) => boolean = () => false;
  repaired = 0;
  readonly #attesting: NodeJS.Timeout;

  constructor(backplane: Backplane, losesRings: boolean) {
    this.backplane = backplane;
    this.losesRings = losesRings;
    const holds = { hold: async () => true, release: () => {} };
    const observer = {
      applied: () => {},
      duplicate: () => {},
      repaired: (records: number) => {
        this.repaired += records;
      },
      resynced: () => {},
      malformed: (what: string) => console.error('malformed', what),
      failed: (task: string, error: unknown) => console.error('failed', task, error),
    };
    const { rooms, doorbell } = backplane;
    this.feeds = new RoomFeeds({
      rooms,
      doorbell,
      holds,
      bounds: defaultLogBounds(30_000),
      observer,
      owner: () => 'incarnation',
      onStray: () => {},
    });
    this.#attesting = setInterval(() => void this.feeds.attest(1 / 4), 100);
    const ring = backplane.doorbell.onRing;
    backplane.doorbell.onRing = (room, record, text) => {
      if (!this.drops(record)) ring(room, record, text);
    };
  }

  get rooms() {
    return this.backplane.rooms;
  }

  async log(room: RoomId) {
    const page = await this.rooms.readAfter(room, 0);
    if (!page.ok || page.value === undefined) throw new Error('no log');
    const { head, first, records } = page.value;
    expect(records.map((text) => parseRecord(text)?.seq)[0]).toBe(first);
    const bytes = records.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    return { head, first, count: records.length, bytes };
  }

  async tryJoin(room: string, name: string, given: JoinOptions = {}) {
    const joining = newcomer(roomId(room, 'main'), { name, ...given });
    return untilAnswered(() => this.rooms.join(joining));
  }

  /** Joins as a node does: collects, runs the script, starts. `late`: starts some turns after the answer. */
  async join(
    room: string,
    name: string,
    metadata: unknown = null,
    start: 'at once' | 'late' = 'at once',
    given: JoinOptions = {},
  ): Promise<Member> {
    const peer = given.peer ?? (randomBytes(12).toString('base64url') as PeerId);
    const tokenHash = given.tokenHash ?? `hash of ${name}`;
    const member = new Member(this, roomId(room, 'main'), peer, tokenHash);
    const seat = await this.collect(member);
    const joined = await this.tryJoin(room, name, { ...given, peer, metadata });
    if (!joined.ok) throw new Error(joined.code);
    member.generation = joined.value.generation;
    if (start === 'late') await turns();
    member.seated(seat, joined.value);
    return member;
  }

  /**
   * Continues a member's session here as a node does: collects, runs the script, reads what was missed page by page,
   * starts. From where the member is, where nothing else is given.
   */
  async resume(
    former: Member,
    given: Partial<Comeback> = {},
    start: 'at once' | 'late' = 'at once',
  ): Promise<Result<Member, 'session_expired' | 'session_replaced' | 'unauthorized' | 'unavailable'>> {
    const { room, peer, tokenHash } = former;
    const comeback: Comeback = {
      room,
      peer,
      tokenHash,
      seq: former.seq,
      epoch: former.epoch,
      attempt: 0,
      location: { node: 'node', region: 'region' },
      incarnation: 'incarnation',
      holder: randomBytes(9).toString('base64url'),
      ...given,
    };
    const member = new Member(this, room, peer, tokenHash);
    const seat = await this.collect(member);
    const resumed = await untilAnswered(() => this.rooms.resume(comeback));
    if (!resumed.ok) {
      seat.leave();
      return resumed;
    }
    member.goesOn(former, comeback, resumed.value);
    const { replayFrom, head, epoch, record } = resumed.value;
    for (let at = replayFrom; at !== undefined && at < head; ) {
      const page = await untilAnswered(() => this.rooms.replay(room, peer, at as number, head));
      if (!page.ok || page.value === undefined) throw new Error('not to be replayed');
      for (const text of page.value.records) member.deliver(parseRecord(text) as RoomRecord);
      at = page.value.upTo;
    }
    if (start === 'late') await turns();
    member.take(seat, epoch, head, record);
    if (comeback.epoch !== epoch && replayFrom !== undefined) void seat.tellEpoch();
    return resumed.ok ? { ok: true, value: member } : resumed;
  }

  async collect(member: Member): Promise<Seat> {
    const seat = await eventually(async () => (await this.feeds.collect(member.room, member)) ?? false, {
      what: 'a confirmed subscription',
    });
    return seat as Seat;
  }

  stopAttesting(): void {
    clearInterval(this.#attesting);
  }

  async close(): Promise<void> {
    this.stopAttesting();
    this.feeds.close();
    await this.backplane.close();
  }
}

/** A member with a seat, which keeps all it gets. */
export class Member implements Listener, SessionRef {
  readonly node: TestNode;
  readonly room: RoomId;
  readonly peer: PeerId;
  readonly tokenHash: string;
  readonly records: RoomRecord[] = [];
  readonly resyncs: (RoomSnapshot & { complete: boolean })[] = [];
  generation = 1;
  /** Of the join, or of a resume that could not be replayed. */
  snapshot!: RoomSnapshot;
  resumed: Resumed | undefined;
  /** Why this connection has the session no more. */
  ended: 'left' | 'replaced' | 'lost' | 'removed' | undefined;
  /** By whom and why, where somebody ended it. */
  removal: { reason: RemovedReason; by: PeerId | undefined } | undefined;
  lastId = 1;
  #seat: Seat | undefined;
  #taken = 0;

  constructor(node: TestNode, room: RoomId, peer: PeerId, tokenHash: string) {
    this.node = node;
    this.room = room;
    this.peer = peer;
    this.tokenHash = tokenHash;
  }

  get ref(): SessionRef {
    return { room: this.room, peer: this.peer, generation: this.generation };
  }

  /** The seqs that never reach their author. */
  get seqsOfOwn(): number[] {
    return [this.snapshot.seq];
  }

  /** The highest seq that the client has received, and the epoch in which it counts. */
  get seq(): number {
    const since = this.resyncs.at(-1) ?? this.snapshot;
    return Math.max(since.seq, ...this.records.map((record) => record.seq));
  }

  get epoch(): number {
    return (this.resyncs.at(-1) ?? this.snapshot).epoch;
  }

  seated(seat: Seat, { snapshot, record }: Entered): void {
    this.snapshot = snapshot;
    this.take(seat, snapshot.epoch, snapshot.seq, record);
  }

  take(seat: Seat, epoch: number, seq: number, record: string): void {
    this.#seat = seat;
    seat.start({ epoch, seq, generation: this.generation, record });
  }

  /** The same client on another connection: it keeps its ids and its position. */
  goesOn(former: Member, { seq, epoch }: Comeback, resumed: Resumed): void {
    this.resumed = resumed;
    this.generation = resumed.generation;
    this.lastId = resumed.lastId;
    this.snapshot = resumed.snapshot ?? { ...former.snapshot, seq, epoch };
  }

  leaveSeat(): void {
    this.#seat?.leave();
  }

  /** Loses its connection as a client does: the node lets its seat go and detaches the session. */
  async detach(owner = 'incarnation'): Promise<number> {
    this.leaveSeat();
    const detached = await untilAnswered(() => this.node.rooms.detach(this.ref, owner));
    if (!detached.ok) throw new Error(detached.code);
    return detached.value;
  }

  deliver(record: RoomRecord): void {
    this.records.push(record);
  }

  resync(snapshot: RoomSnapshot, complete: boolean): void {
    this.resyncs.push({ ...snapshot, complete });
  }

  left(): void {
    this.#end('left');
  }

  removed(reason: RemovedReason, by: PeerId | undefined): void {
    this.removal = { reason, by };
    this.#end('removed');
  }

  replaced(): void {
    this.#end('replaced');
  }

  lost(): void {
    this.#end('lost');
  }

  #end(how: 'left' | 'replaced' | 'lost' | 'removed'): void {
    this.ended ??= how;
    this.leaveSeat();
  }

  /** The next request's place: the id before it was handed over, too. */
  request(): RequestRef {
    this.lastId += 1;
    return { id: this.lastId, previousId: this.lastId - 1 };
  }

  got(type: RoomRecord['type']): RoomRecord[] {
    return this.records.filter((record) => record.type === type);
  }

  /** The next record of a type that no call returned before. */
  next(type: RoomRecord['type']): Promise<RoomRecord> {
    return eventually(
      () => {
        const index = this.records.findIndex((record, at) => at >= this.#taken && record.type === type);
        if (index < 0) return false;
        this.#taken = index + 1;
        return this.records[index] as RoomRecord;
      },
      { everyMs: 5, what: `a ${type}` },
    ) as Promise<RoomRecord>;
  }
}

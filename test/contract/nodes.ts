import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerId } from '@fenghuo/protocol';
import { expect } from 'vitest';
import type { Backplane } from '../../services/signaling/backplane/backplane.ts';
import type { Listener, Seat } from '../../services/signaling/backplane/room-feed.ts';
import { RoomFeeds } from '../../services/signaling/backplane/room-feeds.ts';
import type { Newcomer, RoomSnapshot, SessionRef } from '../../services/signaling/backplane/room-log.ts';
import { defaultLogBounds, type LogBounds } from '../../services/signaling/domain/log-bounds.ts';
import type { RequestRef } from '../../services/signaling/domain/request-order.ts';
import { type RoomId, roomId } from '../../services/signaling/domain/room-id.ts';
import { parseRecord, type RoomRecord } from '../../services/signaling/domain/room-record.ts';
import { eventually } from '../support/eventually.ts';

/** One backplane that several nodes share; each `open` is one node's own view of it. */
export interface SharedBackplane {
  open(bounds?: LogBounds): Promise<Backplane>;
  close(): Promise<void>;
  /** Its doorbells lose rings on purpose, so only a comparison of heads finds the last ones. */
  readonly losesRings?: boolean;
}

/** A join as a node would make it. */
export function newcomer(
  room: RoomId,
  given: { name: string; peersMax?: number; peer?: PeerId; metadata?: unknown },
): Newcomer {
  return {
    room,
    peer: given.peer ?? (randomBytes(12).toString('base64url') as PeerId),
    generation: 1,
    profile: { name: given.name, metadata: given.metadata ?? null },
    location: { node: 'node', region: 'region' },
    incarnation: 'incarnation',
    roles: { first: 'host', others: 'speaker' },
    peersMax: given.peersMax ?? 100,
    tokenHash: `hash of ${given.name}`,
  };
}

/** Sends again what is `unavailable`, as a client does: under the same peer id it changes nothing twice. */
async function untilAnswered<Outcome extends { ok: boolean; code?: string }>(
  call: () => Promise<Outcome>,
): Promise<Outcome> {
  for (let tries = 0; ; tries++) {
    const outcome = await call();
    if (outcome.code !== 'unavailable' || tries === 20) return outcome;
    await sleep(25);
  }
}

/** One node's view, with its own feeds, and a doorbell that a test can make deaf. */
export class TestNode {
  readonly backplane: Backplane;
  readonly feeds: RoomFeeds;
  readonly losesRings: boolean;
  drops: (record: string) => boolean = () => false;
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
    };
    const { rooms, doorbell } = backplane;
    this.feeds = new RoomFeeds({ rooms, doorbell, holds, bounds: defaultLogBounds(30_000), observer });
    this.#attesting = setInterval(() => void this.feeds.attest(1 / 4), 100);
    const ring = backplane.doorbell.onRing;
    backplane.doorbell.onRing = (room, record) => {
      if (!this.drops(record)) ring(room, record);
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
    return { head, first, count: records.length };
  }

  async tryJoin(
    room: string,
    name: string,
    given: { peersMax?: number; peer?: PeerId; metadata?: unknown } = {},
  ) {
    const joining = newcomer(roomId(room, 'main'), { name, ...given });
    return untilAnswered(() => this.rooms.join(joining));
  }

  /** Joins as a node does: collects, runs the script, starts. `late`: starts some turns after the answer. */
  async join(
    room: string,
    name: string,
    metadata: unknown = null,
    start: 'at once' | 'late' = 'at once',
  ): Promise<Member> {
    const peer = randomBytes(12).toString('base64url') as PeerId;
    const member = new Member(this, roomId(room, 'main'), peer);
    const seat = await eventually(async () => (await this.feeds.collect(member.room, member)) ?? false, {
      what: 'a confirmed subscription',
    });
    const joined = await this.tryJoin(room, name, { peer, metadata });
    if (!joined.ok) throw new Error(joined.code);
    if (start === 'late') await new Promise((resolve) => setTimeout(resolve, 3));
    member.seated(seat as Seat, joined.value.snapshot);
    return member;
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
  readonly generation = 1;
  readonly records: RoomRecord[] = [];
  readonly resyncs: RoomSnapshot[] = [];
  snapshot!: RoomSnapshot;
  lastId = 1;
  #seat: Seat | undefined;
  #taken = 0;

  constructor(node: TestNode, room: RoomId, peer: PeerId) {
    this.node = node;
    this.room = room;
    this.peer = peer;
  }

  get ref(): SessionRef {
    return { room: this.room, peer: this.peer, generation: this.generation };
  }

  /** The seqs that never reach their author. */
  get seqsOfOwn(): number[] {
    return [this.snapshot.seq];
  }

  seated(seat: Seat, snapshot: RoomSnapshot): void {
    this.#seat = seat;
    this.snapshot = snapshot;
    seat.start(snapshot.epoch, snapshot.seq, this.generation);
  }

  leaveSeat(): void {
    this.#seat?.leave();
  }

  deliver(record: RoomRecord): void {
    this.records.push(record);
  }

  resync(snapshot: RoomSnapshot): void {
    this.resyncs.push(snapshot);
  }

  left(): void {
    this.leaveSeat();
  }

  replaced(): void {
    throw new Error('replaced');
  }

  lost(): void {
    throw new Error('lost');
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
      { what: `a ${type}` },
    ) as Promise<RoomRecord>;
  }
}

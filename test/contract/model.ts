import { randomBytes } from 'node:crypto';
import { type Kind, type Moderation, type PeerId, ROLES, type Role } from '@fenghuo/protocol';
import { expect } from 'vitest';
import type { LeaseKeeper } from '../../services/signaling/backplane/lease-keeper.ts';
import type { Adopted } from '../../services/signaling/backplane/room-log.ts';
import type { Answer } from '../../services/signaling/domain/answer.ts';
import type { Person } from '../../services/signaling/domain/identity.ts';
import { type JoinRoles, OPEN_ROOM_ROLES, rolesOfToken } from '../../services/signaling/domain/roles.ts';
import { type RoomId, roomId } from '../../services/signaling/domain/room-id.ts';
import { concerns, type RoomRecord } from '../../services/signaling/domain/room-record.ts';
import { parseState, type RoomState } from '../../services/signaling/domain/room-state.ts';
import { eventually } from '../support/eventually.ts';
import { type Member, messageToAll, type TestNode, untilAnswered, withAnswersThatCount } from './nodes.ts';

type Entry = Pick<RoomRecord, 'type' | 'from' | 'to' | 'echo' | 'seq'>;

/** What a connection must have got: everything that concerned it after `from`, or up to where it ended. */
interface Connection {
  readonly member: Member;
  readonly from: number;
  /** Of its first own record that it must not go beyond; none: it lives. */
  endedAt: number | undefined;
  /** How it ended, as it is told. */
  endedBy: 'replaced' | 'removed';
  /** It ended in a way in which its last records may not have reached it. */
  isCutOff: boolean;
  readonly room: ModelRoom;
}

export interface ModelMember {
  readonly client: Client;
  readonly peer: PeerId;
  readonly joinedSeq: number;
  since: number;
  generation: number;
  isConnected: boolean;
  process: string;
  tokenHash: string;
  formerTokenHash: string;
  attempt: number;
  lastId: number;
  role: Role;
  /** What it was muted in, whatever its role mutes besides. */
  mutes: readonly Kind[];
  readonly answers: Map<number, Answered>;
}

interface Answered {
  readonly request: Request;
  readonly answer: Answer;
  /** It changed nothing, so that no other node knows of it (decision 16). */
  readonly hasNoRecord: boolean;
}

type Request =
  | { readonly kind: 'signal' | 'message'; readonly to: PeerId | undefined }
  | { readonly kind: 'moderate'; readonly order: Moderation };

const EVERY_KIND: readonly Kind[] = ['audio', 'video', 'message'];
const RANK = { host: 3, moderator: 2, speaker: 1, listener: 0 };

export class ModelRoom {
  readonly name: string;
  readonly id: RoomId;
  /** Roles come from tokens. */
  readonly hasTokens: boolean;
  readonly log: Entry[] = [];
  readonly members = new Map<PeerId, ModelMember>();
  readonly bans = new Set<Person>();
  readonly mutes = new Map<Person, readonly Kind[]>();
  locked = false;
  epoch = 0;
  /** Somebody ended it: who was there is told. */
  wasClosed = false;
  /** It was lost and restored: a snapshot instead of a replay is no fault then. */
  wasRestored = false;

  constructor(name: string, hasTokens: boolean) {
    this.name = name;
    this.id = roomId(name, 'main');
    this.hasTokens = hasTokens;
  }

  get head(): number {
    return this.log.length;
  }

  append(
    type: RoomRecord['type'],
    from: PeerId,
    more: { to?: PeerId | undefined; echo?: boolean } = {},
  ): number {
    const seq = this.head + 1;
    this.log.push({ type, from, to: more.to, echo: more.echo ?? false, seq });
    return seq;
  }
}

export class Client {
  readonly name: string;
  /** Two of them are one person for sure, and two more perhaps. */
  readonly person: Person;
  readonly tokenRole: Role;
  room: ModelRoom | undefined;
  membership: ModelMember | undefined;
  /** Its latest. */
  connection: Connection | undefined;

  constructor(n: number) {
    this.name = `client-${n}`;
    this.person = (['=a', '~b', '=c', '~b', '=a'] as Person[])[n] as Person;
    this.tokenRole = (['host', 'moderator', 'speaker', 'speaker', 'listener'] as const)[n] ?? 'speaker';
  }
}

/** A node whose process may die, so that another one bears its name. */
export class ModelNode {
  readonly node: TestNode;
  readonly rooms = new Set<RoomId>();
  readonly keeps = new Map<RoomId, () => void>();
  incarnation = newIncarnation();

  constructor(node: TestNode) {
    this.node = node;
  }

  async hold(rooms: readonly RoomId[]): Promise<boolean> {
    for (const room of rooms) this.rooms.add(room);
    const held = await untilAnswered(() => this.node.backplane.leases.hold(this.incarnation, rooms));
    return held.ok;
  }
}

/** A few clients in two rooms on three nodes, and what must be true of them. Commands change both at once. */
export class World {
  readonly nodes: readonly ModelNode[];
  readonly lose: (() => void) | undefined;
  readonly clients = Array.from({ length: 5 }, (_, n) => new Client(n));
  readonly connections: Connection[] = [];
  readonly dead: string[] = [];
  /** Whose sessions somebody ended. */
  readonly shownOut: Member[] = [];
  rooms: ModelRoom[];
  #sent = 0;

  constructor(nodes: readonly ModelNode[], lose: (() => void) | undefined) {
    this.nodes = nodes;
    this.lose = lose;
    this.rooms = [newRoom(false), newRoom(true)];
  }

  get inRooms(): Client[] {
    return this.clients.filter((client) => client.membership !== undefined);
  }

  /** Those whose connection serves them still. */
  get connected(): Client[] {
    return this.inRooms.filter(
      ({ connection }) => connection?.endedAt === undefined && !connection?.isCutOff,
    );
  }

  async join(client: Client, roomIndex: number, at: ModelNode): Promise<void> {
    const room = this.rooms[roomIndex] as ModelRoom;
    await at.hold([room.id]);
    const tokenHash = newIncarnation();
    const { person } = client;
    const roles: JoinRoles = room.hasTokens ? rolesOfToken(client.tokenRole) : OPEN_ROOM_ROLES;
    const given = { incarnation: at.incarnation, tokenHash, person, roles };
    const barred = room.bans.has(person) ? 'banned' : room.locked ? 'room_locked' : undefined;
    if (barred !== undefined)
      return void expect(await at.node.tryJoin(room.name, client.name, given)).toEqual(refusal(barred));
    const member = await at.node.join(room.name, client.name, null, 'at once', given);
    const role = room.members.size === 0 ? roles.first : roles.others;
    const seq = room.append('joined', member.peer);
    if (room.head === 1) room.epoch = member.snapshot.epoch;
    client.room = room;
    client.membership = {
      client,
      peer: member.peer,
      joinedSeq: seq,
      since: seq,
      generation: 1,
      isConnected: true,
      process: at.incarnation,
      tokenHash,
      formerTokenHash: 'forged',
      attempt: 0,
      lastId: 1,
      role,
      mutes: room.mutes.get(person) ?? [],
      answers: new Map(),
    };
    room.members.set(member.peer, client.membership);
    this.#connect(client, member, seq);
    expect(member.snapshot).toMatchObject({ seq, epoch: room.epoch });
    expect(member.snapshot.peers.map((peer) => peer.name)).toEqual(namesOf(room));
  }

  /** Rule Q4: on another connection, with the key of the first. */
  async joinByKey(client: Client, at: ModelNode): Promise<void> {
    const { room, membership } = theirs(client);
    await at.hold([room.id]);
    const { peer } = membership;
    const tokenHash = newIncarnation();
    const given = { incarnation: at.incarnation, tokenHash, peer };
    const member = await at.node.join(room.name, client.name, null, 'at once', given);
    const seq = this.#attach(client, at);
    membership.formerTokenHash = membership.tokenHash;
    Object.assign(membership, { tokenHash, since: seq, lastId: 1, attempt: 0 });
    membership.answers.clear();
    this.#connect(client, member, seq);
    expect(member).toMatchObject({ generation: membership.generation, snapshot: { seq, epoch: room.epoch } });
  }

  async relay(
    client: Client,
    kind: 'signal' | 'message',
    to: PeerId | undefined,
    echo: boolean,
    kinds: readonly Kind[] = kind === 'message' ? ['message'] : [],
  ): Promise<void> {
    const { membership, member } = theirs(client);
    const request = { id: membership.lastId + 1, previousId: membership.lastId };
    const answer = await this.#send(member, request, kind, to, echo, kinds);
    const expected = this.#relayed(client, kind, to, echo, kinds);
    expect(answer).toEqual({ ok: true, value: expected });
    this.#answered(membership, request.id, { kind, to }, expected);
  }

  async order(client: Client, order: Moderation): Promise<void> {
    const { membership, member, room } = theirs(client);
    const request = { id: membership.lastId + 1, previousId: membership.lastId };
    const got = await untilAnswered(() => member.node.rooms.moderate(member.ref, request, order));
    const before = room.head;
    const refused = this.#carryOut(room, membership, order);
    const answer: Answer =
      refused === undefined ? { type: 'moderated', seq: room.head } : { type: 'refused', code: refused };
    expect(got).toMatchObject({ ok: true, value: { answer } });
    // Who closes a room has no session left that could keep an answer.
    if (client.membership === membership)
      this.#answered(membership, request.id, { kind: 'moderate', order }, answer, room.head === before);
    this.#keep();
  }

  async intervene(room: ModelRoom, order: Moderation, at: ModelNode): Promise<void> {
    const isThere = room.members.size > 0;
    const got = await untilAnswered(() => at.node.rooms.intervene(room.id, order));
    if (!isThere) return void expect(got).toEqual(refusal('room_not_found'));
    const refused = this.#carryOut(room, 'operator', order);
    expect(got).toEqual(refused === undefined ? { ok: true, value: room.head } : refusal(refused));
    this.#keep();
  }

  /** Whom somebody showed out has nothing left to resume. */
  async comeBackAfterAll(index: number, at: ModelNode): Promise<void> {
    const member = this.shownOut[index % this.shownOut.length] as Member;
    expect(await at.node.resume(member)).toEqual(refusal('session_expired'));
  }

  /** Resends the `back`-th id before the last one; or sends what goes over a hole, or comes from a former connection. */
  async repeat(client: Client, back: number): Promise<void> {
    const { membership, member } = theirs(client);
    const id = membership.lastId - back;
    if (id < 1) return;
    const known = membership.answers.get(id);
    const place = { id, previousId: 0 };
    if (known?.request.kind === 'moderate') {
      const { order } = known.request;
      const again = await untilAnswered(() => member.node.rooms.moderate(member.ref, place, order));
      return void expect(again).toEqual({ ok: true, value: { answer: known.answer, records: [] } });
    }
    const { kind, to } = known?.request ?? { kind: 'message' as const, to: undefined };
    const again = await this.#send(member, place, kind, to, false, []);
    expect(again).toEqual(
      known === undefined ? refusal('invalid_request') : { ok: true, value: known.answer },
    );
  }

  async sendOverHole(client: Client): Promise<void> {
    const { membership, member } = theirs(client);
    const request = { id: membership.lastId + 2, previousId: membership.lastId + 1 };
    const { room, peer, generation } = member;
    const refused = await member.node.rooms.relay(
      { room, peer, generation },
      request,
      messageToAll('over a hole'),
    );
    expect(refused).toEqual(refusal('unavailable'));
    const ref = { room, peer, generation };
    expect(await member.node.rooms.moderate(ref, request, { action: 'lock' })).toEqual(
      refusal('unavailable'),
    );
  }

  async sendFromFormer(client: Client): Promise<void> {
    const { membership, room } = theirs(client);
    const former = { room: room.id, peer: membership.peer, generation: membership.generation - 1 };
    const request = { id: membership.lastId + 1, previousId: 0 };
    const { rooms } = (this.nodes[0] as ModelNode).node;
    expect(await rooms.relay(former, request, messageToAll('late'))).toEqual(refusal('session_replaced'));
    expect(await rooms.leave(former, 'left', request)).toEqual(refusal('session_replaced'));
    expect(await rooms.moderate(former, request, { action: 'close' })).toEqual(refusal('session_replaced'));
  }

  async rename(client: Client): Promise<void> {
    const { membership, member, room } = theirs(client);
    const request = { id: membership.lastId + 1, previousId: 0 };
    const metadata = ++this.#sent;
    const updated = await untilAnswered(() => member.node.rooms.update(member.ref, request, { metadata }));
    const seq = room.append('updated', membership.peer, { echo: true });
    expect(updated).toMatchObject({ ok: true, value: { seq, peer: { id: membership.peer, metadata } } });
    membership.lastId = request.id;
  }

  async detach(client: Client): Promise<void> {
    const { membership, member, room } = theirs(client);
    const generation = await member.detach(membership.process);
    const seq = room.append('detached', membership.peer, { echo: true });
    membership.generation += 1;
    membership.isConnected = false;
    expect(generation).toBe(membership.generation);
    this.#end(client, seq, true);
    this.#keep();
  }

  async resume(
    client: Client,
    at: ModelNode,
    given: { token: 'right' | 'old' | 'forged'; back: number | 'future'; attempt: 'none' | 'next' | 'stale' },
  ): Promise<void> {
    const { membership, member, room } = theirs(client);
    await at.hold([room.id]);
    const seq = given.back === 'future' ? room.head + 100 : Math.max(0, member.seq - given.back);
    const attempt = { none: 0, next: membership.attempt + 1, stale: membership.attempt }[given.attempt];
    const tokenHash = { right: membership.tokenHash, old: membership.formerTokenHash, forged: 'forged' }[
      given.token
    ];
    const { epoch } = member;
    const resumed = await at.node.resume(member, { seq, attempt, tokenHash, incarnation: at.incarnation });
    if (given.token !== 'right') return void expect(resumed).toEqual(refusal('session_expired'));
    if (given.attempt === 'stale' && attempt > 0)
      return void expect(resumed).toEqual(refusal('session_replaced'));
    if (!resumed.ok) throw new Error(resumed.code);
    this.#resumed(client, at, resumed.value, { seq, epoch, attempt });
  }

  /** A session moves while all the others of its room write (rule C9): the log says who came first. */
  async resumeAmid(client: Client, at: ModelNode): Promise<void> {
    const { membership, member, room } = theirs(client);
    await at.hold([room.id]);
    const { seq, epoch } = member;
    const others = this.connected.filter(
      (other) =>
        other.room === room && other !== client && !mutedIn(theirs(other).membership).includes('message'),
    );
    const writing = others.flatMap((other) => {
      const { membership: author, member: from } = theirs(other);
      const request = { id: author.lastId + 1, previousId: author.lastId };
      return this.#send(from, request, 'message', undefined, true, ['message']).then((answer) => ({
        other,
        request,
        answer,
      }));
    });
    const [resumed, ...written] = await Promise.all([
      at.node.resume(member, { seq, epoch, incarnation: at.incarnation }, 'late'),
      ...writing,
    ]);
    if (!resumed.ok) throw new Error(resumed.code);
    const fence = resumed.value.resumed?.head ?? 0;
    const order = [
      { at: fence, act: () => this.#resumed(client, at, resumed.value, { seq, epoch, attempt: 0 }) },
    ];
    for (const { other, request, answer } of written) {
      if (!answer.ok || answer.value.type === 'refused') throw new Error('not written');
      const act = () => {
        const expected = this.#relayed(other, 'message', undefined, true, ['message']);
        expect(answer.value).toEqual(expected);
        this.#answered(theirs(other).membership, request.id, { kind: 'message', to: undefined }, expected);
      };
      order.push({ at: answer.value.seq, act });
    }
    for (const { act } of order.sort((a, b) => a.at - b.at)) act();
    expect(membership.isConnected).toBe(true);
  }

  async leave(client: Client): Promise<void> {
    const { membership, member, room } = theirs(client);
    const left = await untilAnswered(() =>
      member.node.rooms.leave(member.ref, 'left', { id: membership.lastId + 1, previousId: 0 }),
    );
    expect(left).toEqual({ ok: true, value: room.head + 1 });
    member.leaveSeat();
    this.#gone(client);
  }

  async expire(client: Client): Promise<void> {
    const { membership, room } = theirs(client);
    const { generation, peer, process } = membership;
    const keeper = this.nodes.find((each) => each.incarnation === process)?.node ?? this.nodes[0]?.node;
    const left = await untilAnswered(
      async () =>
        (await keeper?.rooms.leave({ room: room.id, peer, generation }, 'expired')) ?? refusal('unavailable'),
    );
    expect(left).toEqual({ ok: true, value: room.head + 1 });
    this.#gone(client);
  }

  /** A process dies with its connections, and is followed by another one of its name. */
  die(at: ModelNode): void {
    for (const client of this.connected) {
      if (client.connection?.member.node !== at.node) continue;
      client.connection.member.leaveSeat();
      client.connection.isCutOff = true;
    }
    for (const { member, isCutOff } of this.connections)
      if (member.node === at.node && !isCutOff) member.leaveSeat();
    for (const connection of this.connections)
      if (connection.member.node === at.node) connection.isCutOff = true;
    for (const release of at.keeps.values()) release();
    at.keeps.clear();
    at.rooms.clear();
    this.dead.push(at.incarnation);
    at.incarnation = newIncarnation();
  }

  /** Two survivors see a process dead at the same moment (rule C7). */
  async sweep(): Promise<void> {
    const dead = this.dead.shift() as string;
    const adopted: { by: string; session: Adopted }[] = [];
    const sweepers = this.nodes.slice(0, 2);
    await Promise.all(
      sweepers.map((sweeper) => {
        const adopter = {
          incarnation: sweeper.incarnation,
          prepare: (rooms: readonly RoomId[]) => sweeper.hold(rooms),
          adopt: (_: RoomId, sessions: readonly Adopted[]) =>
            void adopted.push(...sessions.map((session) => ({ by: sweeper.incarnation, session }))),
        };
        return untilAnswered(() => sweeper.node.backplane.leases.sweep(dead, adopter));
      }),
    );
    for (const room of this.rooms) {
      for (const member of room.members.values()) {
        if (member.process !== dead) continue;
        room.append(member.isConnected ? 'detached' : 'fenced', member.peer, { echo: member.isConnected });
        if (member.isConnected) member.generation += 1;
        member.isConnected = false;
        const takers = adopted.filter(({ session }) => session.peer === member.peer);
        // Who adopts is told of all that it has: another sweep may tell it again.
        expect(new Set(takers.map(({ by }) => by)).size).toBe(1);
        expect(takers[0]?.session).toMatchObject({ room: room.id, generation: member.generation });
        member.process = takers[0]?.by ?? '';
        if (member.client.connection !== undefined) this.#end(member.client, room.head, true);
      }
    }
    this.#keep();
  }

  /** Everything is lost while the nodes live, and comes back under another epoch. */
  async loseEverything(): Promise<void> {
    await this.settle();
    const hosted = new Set(this.nodes.flatMap(({ node }) => [...node.feeds.knowledge()].map(([id]) => id)));
    const kept = this.rooms.filter((room) => room.members.size > 0 && hosted.has(room.id));
    this.lose?.();
    this.dead.length = 0;
    // Not promised: what no living node hosts.
    for (const room of this.rooms) if (!kept.includes(room)) this.#forget(room);
    await Promise.all(
      this.nodes.map(({ node }) =>
        eventually(
          async () => {
            for (const { id } of this.rooms) if (!(await node.rooms.snapshot(id)).ok) return false;
            return true;
          },
          { everyMs: 10, what: 'a restored home' },
        ),
      ),
    );
    for (const room of kept) {
      room.epoch += 1;
      room.wasRestored = true;
      await this.#takeFromRestored(room);
    }
    this.#keep();
    await this.settle();
  }

  /**
   * What a loss may change: who lost a process has another keeper, refusals have no record, and an open room that an
   * operator had left without a host has one again.
   */
  async #takeFromRestored(room: ModelRoom): Promise<void> {
    const [first] = room.members.values();
    const hasHost = [...room.members.values()].some(({ role }) => role === 'host');
    if (!room.hasTokens && !hasHost && first !== undefined) first.role = 'host';
    const state = await stateOf(this.nodes[0] as ModelNode, room.id);
    const living = new Set(this.nodes.map(({ incarnation }) => incarnation));
    for (const member of room.members.values()) {
      const restored = state.members.get(member.peer);
      if (restored === undefined) throw new Error(`${member.client.name} was not restored`);
      expect([...living]).toContain(restored.incarnation);
      if (!living.has(member.process)) {
        member.generation += member.isConnected ? 1 : 0;
        member.isConnected = false;
        if (member.client.connection !== undefined) this.#end(member.client, room.head + 1, true);
      } else if (member.process !== restored.incarnation) expect(member.isConnected).toBe(false);
      member.process = restored.incarnation;
      for (const [id, { hasNoRecord }] of member.answers)
        if (hasNoRecord && !restored.requests.answers.has(id)) member.answers.delete(id);
      const lastRefused = member.lastId;
      if (restored.requests.lastId < lastRefused) {
        for (let id = restored.requests.lastId + 1; id <= lastRefused; id++)
          expect(member.answers.get(id)?.answer.type).toBeUndefined();
        member.lastId = restored.requests.lastId;
      }
    }
  }

  /** Everybody has got what is for him, and every node that hosts a room knows it as it is. */
  async settle(): Promise<void> {
    await eventually(
      async () => {
        await Promise.all(this.nodes.map(({ node }) => node.feeds.attest(1)));
        for (const connection of this.connections) checkConnection(connection);
        for (const room of this.rooms) await this.#checkRoom(room);
      },
      { everyMs: 10, what: 'nodes that know all' },
    );
  }

  /** Ends everything, so that the nodes serve the next run. */
  async end(): Promise<void> {
    for (const { member } of this.connections) member.leaveSeat();
    for (const node of this.nodes) {
      for (const release of node.keeps.values()) release();
      node.keeps.clear();
      node.rooms.clear();
    }
  }

  async #checkRoom(room: ModelRoom): Promise<void> {
    const { node } = this.nodes[0] as ModelNode;
    const snapshot = await untilAnswered(() => node.rooms.snapshot(room.id));
    if (!snapshot.ok) throw new Error(snapshot.code);
    if (room.members.size === 0) return void expect(snapshot.value).toBeUndefined();
    expect(snapshot.value).toMatchObject({ seq: room.head, epoch: room.epoch });
    const roster = snapshot.value?.peers.map(({ id, connected }) => [id, connected]);
    expect(roster).toEqual([...room.members].map(([id, { isConnected }]) => [id, isConnected]));
    const rights = snapshot.value?.peers.map(({ role, muted }) => [role, muted]);
    expect(rights).toEqual([...room.members.values()].map((member) => [member.role, mutedIn(member)]));
    const state = await stateOf(this.nodes[0] as ModelNode, room.id);
    for (const [peer, { generation, process, attempt, since, tokenHash, lastId }] of room.members) {
      const member = state.members.get(peer);
      expect(member).toMatchObject({ incarnation: process, attempt, since, tokenHash });
      expect(member?.requests).toMatchObject({ generation, lastId });
    }
    expect(state).toMatchObject({ locked: room.locked, inherits: !room.hasTokens });
    expect([...state.bans].sort()).toEqual([...room.bans].sort());
    expect([...state.mutes].sort()).toEqual([...room.mutes].sort());
    const expected = withoutRecordless(state, room);
    for (const { node } of this.nodes) {
      for (const [id, { contribution }] of node.feeds.knowledge()) {
        if (id !== room.id) continue;
        const replica = parseState(JSON.parse(contribution()).state);
        expect(withoutRecordless(replica, room)).toEqual(expected);
      }
    }
  }

  async #send(
    { room, peer, generation, node }: Member,
    request: { id: number; previousId: number },
    type: 'signal' | 'message',
    to: PeerId | undefined,
    echo: boolean,
    kinds: readonly Kind[],
  ) {
    const body = JSON.stringify({ n: ++this.#sent });
    return untilAnswered(async () =>
      node.rooms.relay({ room, peer, generation }, request, { type, to, echo, kinds, body }),
    );
  }

  #relayed(
    client: Client,
    kind: 'signal' | 'message',
    to: PeerId | undefined,
    echo: boolean,
    kinds: readonly Kind[],
  ): Answer {
    const { room, membership } = theirs(client);
    const muted = mutedIn(membership);
    if (kinds.some((each) => muted.includes(each))) return { type: 'refused', code: 'media_forbidden' };
    const target = to === undefined ? undefined : room.members.get(to);
    if (to !== undefined && (target === undefined || target === membership))
      return { type: 'refused', code: 'peer_not_found' };
    const seq = room.append(kind, membership.peer, { to, echo });
    if (kind === 'message') return { type: 'logged', seq };
    return { type: target?.isConnected === false ? 'held' : 'sent', seq };
  }

  #answered(
    member: ModelMember,
    id: number,
    request: Request,
    answer: Answer,
    hasNoRecord = answer.type === 'refused',
  ) {
    member.lastId = id;
    member.answers.set(id, { request, answer, hasNoRecord });
    member.answers.delete(id - 64);
  }

  #resumed(
    client: Client,
    at: ModelNode,
    next: Member,
    given: { seq: number; epoch: number; attempt: number },
  ) {
    const { room, membership } = theirs(client);
    const { since, joinedSeq } = membership;
    const headBefore = room.head;
    const fence = this.#attach(client, at);
    membership.attempt = given.attempt > 0 ? given.attempt : membership.attempt;
    const { resumed } = next;
    expect(resumed).toMatchObject({
      head: fence,
      generation: membership.generation,
      lastId: membership.lastId,
      epoch: room.epoch,
    });
    const from = since === joinedSeq ? Math.max(given.seq, since) : given.seq;
    const isInReach = given.seq <= headBefore && from >= since;
    if (resumed?.replayFrom === undefined) {
      // A room that was restored may not reach back as far as the one that was lost.
      if (!room.wasRestored) expect(isInReach).toBe(false);
      membership.since = fence;
      expect(resumed?.snapshot?.peers.map((peer) => peer.name)).toEqual(namesOf(room));
    } else expect(isInReach).toBe(true);
    this.#connect(client, next, resumed?.replayFrom ?? fence);
  }

  #attach(client: Client, at: ModelNode): number {
    const { room, membership } = theirs(client);
    const isVisible = !membership.isConnected;
    const seq = room.append(isVisible ? 'resumed' : 'fenced', membership.peer, { echo: true });
    membership.generation += 1;
    membership.isConnected = true;
    membership.process = at.incarnation;
    this.#end(client, seq, false);
    return seq;
  }

  #connect(client: Client, member: Member, from: number): void {
    const room = client.room as ModelRoom;
    const connection: Connection = {
      ...{ member, from, room },
      ...{ endedAt: undefined, endedBy: 'replaced', isCutOff: false },
    };
    client.connection = connection;
    this.connections.push(connection);
    this.#keep();
  }

  #end({ connection }: Client, seq: number, isCutOff: boolean): void {
    if (connection === undefined) return;
    connection.endedAt ??= seq;
    connection.isCutOff ||= isCutOff;
  }

  #gone(client: Client): void {
    const { room, membership } = theirs(client);
    this.#end(client, room.append('left', membership.peer), true);
    this.#remove(client);
    this.#handOn(room, membership.role);
    if (room.members.size === 0) this.#forget(room);
    this.#keep();
  }

  /** What an order comes to; or why it comes to nothing. */
  #carryOut(
    room: ModelRoom,
    by: ModelMember | 'operator',
    order: Moderation,
  ): 'forbidden' | 'peer_not_found' | undefined {
    const rank = by === 'operator' ? 4 : RANK[by.role];
    const from = by === 'operator' ? ('-' as PeerId) : by.peer;
    if (rank < RANK.moderator) return 'forbidden';
    if (order.action === 'close') {
      if (rank < RANK.host) return 'forbidden';
      const seq = room.append('closed', from);
      for (const { client } of [...room.members.values()]) this.#showOut(client, seq);
      room.wasClosed = true;
      this.#forget(room);
      return undefined;
    }
    if (!('peer' in order)) {
      const locked = order.action === 'lock';
      if (room.locked !== locked) room.append('room_changed', from, { echo: true });
      room.locked = locked;
      return undefined;
    }
    const all = [...room.members.values()];
    const isBelow = (each: ModelMember) => RANK[each.role] < rank;
    if (order.peer === '*') {
      const sitsHigher = (person: Person) =>
        person.startsWith('=') && all.some((each) => each.client.person === person && !isBelow(each));
      for (const each of all)
        if (isBelow(each) && !sitsHigher(each.client.person)) this.#change(room, each, order);
      return undefined;
    }
    const target = room.members.get(order.peer);
    if (target === undefined) return 'peer_not_found';
    if (order.action === 'set_role' && RANK[order.role] >= rank) return 'forbidden';
    const isForPerson = order.action !== 'kick' && order.action !== 'set_role';
    const isSure = target.client.person.startsWith('=');
    const others = all.filter((each) => each !== target && each.client.person === target.client.person);
    const meant = [...(isForPerson && isSure ? others : []), target];
    if (!meant.every(isBelow)) return 'forbidden';
    for (const each of meant) {
      if (order.action !== 'kick' && order.action !== 'ban') this.#change(room, each, order);
      else {
        if (order.action === 'ban') room.bans.add(each.client.person);
        this.#showOut(each.client, room.append('left', each.peer));
        this.#handOn(room, each.role);
      }
    }
    if (room.members.size > 0) return undefined;
    room.wasClosed = true;
    this.#forget(room);
    return undefined;
  }

  #change(room: ModelRoom, member: ModelMember, order: Moderation): void {
    if (order.action === 'set_role') {
      if (member.role !== order.role) room.append('moderated', member.peer, { echo: true });
      member.role = order.role;
      return;
    }
    if (order.action !== 'mute' && order.action !== 'unmute') return;
    const after = (kinds: readonly Kind[]) =>
      EVERY_KIND.filter((kind) =>
        order.kinds.includes(kind) ? order.action === 'mute' : kinds.includes(kind),
      );
    const mutes = after(member.mutes);
    if (mutes.length === member.mutes.length) return;
    member.mutes = mutes;
    const { person } = member.client;
    const kept = after(room.mutes.get(person) ?? []);
    if (kept.length > 0) room.mutes.set(person, kept);
    else room.mutes.delete(person);
    room.append('moderated', member.peer, { echo: true });
  }

  /** Of an open room without a host the one who is there longest becomes host. */
  #handOn(room: ModelRoom, former: Role): void {
    const [first] = room.members.values();
    const hasHost = [...room.members.values()].some(({ role }) => role === 'host');
    if (room.hasTokens || former !== 'host' || hasHost || first === undefined) return;
    first.role = 'host';
    room.append('moderated', first.peer, { echo: true });
  }

  #showOut(client: Client, seq: number): void {
    const { connection, membership } = client;
    if (connection !== undefined && connection.endedAt === undefined) connection.endedBy = 'removed';
    if (connection !== undefined) this.shownOut.push(connection.member);
    this.#end(client, seq, membership?.isConnected !== true);
    this.#remove(client);
  }

  #remove(client: Client): void {
    const { room, membership } = theirs(client);
    room.members.delete(membership.peer);
    client.membership = undefined;
    client.connection = undefined;
    client.room = undefined;
  }

  /** Another room takes its place, which has never been. */
  #forget(room: ModelRoom): void {
    for (const { client } of room.members.values()) this.#remove(client);
    this.rooms = this.rooms.map((each) => (each === room ? newRoom(room.hasTokens) : each));
  }

  /** Rule R7: who counts a session's window hosts its room. */
  #keep(): void {
    for (const each of this.nodes) {
      const needed = new Set(
        this.rooms
          .filter((room) =>
            [...room.members.values()].some(
              (member) => !member.isConnected && member.process === each.incarnation,
            ),
          )
          .map((room) => room.id),
      );
      for (const room of needed) if (!each.keeps.has(room)) each.keeps.set(room, each.node.feeds.keep(room));
      for (const [room, release] of each.keeps) {
        if (needed.has(room)) continue;
        each.keeps.delete(room);
        release();
      }
    }
  }
}

function checkConnection({ member, from, endedAt, endedBy, isCutOff, room }: Connection): void {
  // Of a room that has ended nothing is left to be read: who did not hear of it in time has lost it.
  const isPart = isCutOff || (room.members.size === 0 && !room.wasClosed);
  const upTo = isPart ? room.head : (endedAt ?? room.head + 1) - 1;
  const expected = room.log.filter(
    (entry) => entry.seq > from && entry.seq <= upTo && concerns(entry as RoomRecord, member.peer),
  );
  const got = member.records.map(({ seq, type }) => `${seq} ${type}`);
  const all = expected.map(({ seq, type }) => `${seq} ${type}`);
  expect(got).toEqual(isPart ? all.slice(0, got.length) : all);
  for (const { complete } of member.resyncs) expect(complete).toBe(true);
  if (!isPart) expect(member.ended).toBe(endedAt === undefined ? undefined : endedBy);
}

/** What the Restorer needs of a lease keeper. */
export function keeperOf(self: ModelNode, all: () => readonly ModelNode[]): LeaseKeeper {
  return {
    get incarnation() {
      return self.incarnation;
    },
    get neighbours() {
      return all()
        .filter((each) => each !== self)
        .map(({ incarnation }) => incarnation);
    },
    holdAgain: () => self.hold([...self.rooms]),
    beat: async () => {},
  } as unknown as LeaseKeeper;
}

async function stateOf({ node }: ModelNode, room: RoomId): Promise<RoomState> {
  const state = await untilAnswered(() => node.rooms.state(room));
  if (!state.ok || state.value === undefined) throw new Error('no state');
  return withAnswersThatCount(state.value);
}

/** What changed nothing has no record (decision 16): who did not answer it does not know it. */
function withoutRecordless(state: RoomState, room: ModelRoom): RoomState {
  for (const [peer, { requests }] of withAnswersThatCount(state).members) {
    const known = room.members.get(peer)?.answers;
    for (const id of requests.answers.keys()) if (known?.get(id)?.hasNoRecord) requests.answers.delete(id);
    requests.lastId = Math.max(1, ...requests.answers.keys());
  }
  return state;
}

/** What the server refuses to relay from it. */
function mutedIn({ role, mutes }: ModelMember): readonly Kind[] {
  return role === 'listener' ? EVERY_KIND : mutes;
}

/** An order that numbers pick. */
export function orderOf(peers: readonly PeerId[], picks: readonly number[]): Moderation {
  const [action = 0, target = 0, what = 0] = picks;
  // One more than there are: nobody.
  const peer = peers[target % (peers.length + 1)] ?? ('nobody' as PeerId);
  const kinds = EVERY_KIND.filter((_, n) => ((what % 7) + 1) & (1 << n));
  const orders: readonly Moderation[] = [
    { action: 'mute', peer, kinds },
    { action: 'unmute', peer, kinds },
    { action: 'mute', peer: '*', kinds },
    { action: 'unmute', peer: '*', kinds },
    { action: 'kick', peer },
    { action: 'ban', peer },
    { action: 'set_role', peer, role: ROLES[what % ROLES.length] as Role },
    { action: 'set_role', peer, role: ROLES[what % ROLES.length] as Role },
    { action: 'lock' },
    { action: 'unlock' },
    { action: 'unlock' },
    { action: what % 3 === 0 ? 'close' : 'unlock' },
  ];
  return orders[action % orders.length] as Moderation;
}

function theirs({ room, membership, connection }: Client) {
  if (room === undefined || membership === undefined || connection === undefined)
    throw new Error('not in a room');
  return { room, membership, member: connection.member };
}

function namesOf(room: ModelRoom): string[] {
  return [...room.members.values()].map(({ client }) => client.name);
}

function refusal(code: string) {
  return { ok: false as const, code };
}

function newRoom(hasTokens: boolean): ModelRoom {
  return new ModelRoom(`model-${randomBytes(6).toString('hex')}`, hasTokens);
}

function newIncarnation(): string {
  return randomBytes(9).toString('base64url');
}

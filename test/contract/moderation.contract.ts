import { type Kind, type Moderation, type Peer, type PeerId, ROLES, type Role } from '@fenghuo/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Person } from '../../services/signaling/domain/identity.ts';
import { OPEN_ROOM_ROLES, rolesOfToken } from '../../services/signaling/domain/roles.ts';
import { roomId } from '../../services/signaling/domain/room-id.ts';
import { eventOf, type RoomRecord } from '../../services/signaling/domain/room-record.ts';
import { parseState } from '../../services/signaling/domain/room-state.ts';
import { eventually } from '../support/eventually.ts';
import {
  ACTORS,
  type ActorName,
  ORDERS_TO_PEERS,
  ORDERS_TO_ROOM,
  type Outcome,
  rowsOf,
  type State,
  TARGETS,
} from '../support/moderation-table.ts';
import {
  type JoinOptions,
  type Member,
  type SharedBackplane,
  TestNode,
  untilAnswered,
  withAnswersThatCount,
} from './nodes.ts';

const NOBODY = 'nobody' as PeerId;
const STATES = ['plain', 'muted', 'detached'] as const satisfies readonly State[];
const MUTE = (peer: PeerId | '*', ...kinds: Kind[]): Moderation => ({ action: 'mute', peer, kinds });
const UNMUTE = (peer: PeerId | '*', ...kinds: Kind[]): Moderation => ({ action: 'unmute', peer, kinds });
const EVERY_KIND: Kind[] = ['audio', 'video', 'message'];

/** Orders, and what they change, on every backplane: held to the hand-written table of the rules. */
export function moderationContract(name: string, share: () => Promise<SharedBackplane>): void {
  describe(`moderation on ${name}`, () => {
    let shared: SharedBackplane;
    let nodes: TestNode[] = [];
    let comparing: NodeJS.Timeout | undefined;
    /** A room of each test's own, on nodes that serve them all. */
    let blue = '';
    let tests = 0;
    beforeAll(async () => {
      shared = await share();
      const open = async () => new TestNode(await shared.open(), shared.losesRings ?? false);
      nodes = await Promise.all([open(), open(), open()]);
      if (shared.losesRings !== true) return;
      // How soon nodes find that a ring was lost is tried elsewhere.
      comparing = setInterval(() => {
        for (const node of nodes) void node.feeds.attest(1);
      }, 10);
    });
    beforeEach(() => {
      blue = `blue-${tests++}`;
    });
    afterAll(async () => {
      clearInterval(comparing);
      for (const node of nodes) await node.close();
      await shared?.close();
    });

    const soon = (probe: () => unknown, { what }: { what: string }) =>
      eventually(probe, { everyMs: 5, what });

    describe('the table of the rules', () => {
      test.each(ORDERS_TO_PEERS)('%s', async (_, order, grids) => {
        const [node] = nodes as unknown as [TestNode];
        let rooms = 0;
        for (const state of STATES) {
          const rows = ACTORS.map((actor) => row(node, `${blue}-${rooms++}`, actor, state, order));
          expect((await Promise.all(rows)).join('\n'), `where that peer is ${state}`).toBe(
            rowsOf(grids[state]),
          );
        }
      });

      test('lock, unlock and close', async () => {
        const [node] = nodes as unknown as [TestNode];
        const rows = ACTORS.map(async (actorName) => {
          const cells: string[] = [actorName];
          for (const locked of [false, true]) {
            for (const action of ['lock', 'unlock', 'close'] as const) {
              const id = roomId(`${blue}-${actorName}-${action}-${locked}`, 'main');
              const role = actorName === 'operator' ? 'host' : actorName;
              const given = { peer: 'actor' as PeerId, roles: rolesOfToken(role) };
              await node.tryJoin(`${blue}-${actorName}-${action}-${locked}`, 'actor', given);
              if (locked) await node.rooms.intervene(id, { action: 'lock' });
              const head = locked ? 2 : 1;
              const actor = { room: id, peer: 'actor' as PeerId, generation: 1 };
              const got =
                actorName === 'operator'
                  ? await node.rooms.intervene(id, { action })
                  : await node.rooms.moderate(actor, { id: 2, previousId: 1 }, { action });
              if (!got.ok) throw new Error(got.code);
              if (refusalOf(got.value) === 'forbidden') cells.push('no');
              else cells.push(seqOf(got.value) > head ? 'ok' : '--');
            }
          }
          return cells.join(' ');
        });
        expect((await Promise.all(rows)).join('\n')).toBe(rowsOf(ORDERS_TO_ROOM));
      });

      /** Each cell in one room has a target of its own. */
      async function row(
        node: TestNode,
        room: string,
        actorName: ActorName,
        state: State,
        order: (peer: PeerId) => Moderation,
      ): Promise<string> {
        const id = roomId(room, 'main');
        const join = async (role: Role, peer: string) =>
          node.tryJoin(room, peer, {
            peer: peer as PeerId,
            roles: rolesOfToken(role),
            person: `=${peer}` as Person,
          });
        // Whoever is shown out, the room goes on.
        await join('host', 'bystander');
        if (actorName !== 'operator') await join(actorName, 'actor');
        for (const role of ROLES) {
          await join(role, role);
          if (state === 'muted') await node.rooms.intervene(id, MUTE(role as unknown as PeerId, 'audio'));
          if (state === 'detached')
            await node.rooms.detach({ room: id, peer: role as unknown as PeerId, generation: 1 }, 'owner');
        }
        let lastId = 1;
        const cells: string[] = [actorName];
        for (const target of TARGETS) {
          const peer = (target === 'self' ? 'actor' : target) as PeerId;
          if (actorName === 'operator' && target === 'self') cells.push('.');
          else if (actorName === 'operator')
            cells.push(await outcomeOf(() => node.rooms.intervene(id, order(peer))));
          else {
            const request = { id: lastId + 1, previousId: lastId++ };
            const actor = { room: id, peer: 'actor' as PeerId, generation: 1 };
            cells.push(await outcomeOf(() => node.rooms.moderate(actor, request, order(peer))));
          }
        }
        return cells.join(' ');

        async function outcomeOf(
          run: () => ReturnType<typeof node.rooms.intervene> | ReturnType<typeof node.rooms.moderate>,
        ): Promise<Outcome> {
          const before = await headOf();
          const got = await run();
          const code = got.ok ? refusalOf(got.value) : got.code;
          if (code === 'forbidden') return 'no';
          if (code === 'peer_not_found') return '??';
          if (code !== undefined) throw new Error(code);
          return (await headOf()) > before ? 'ok' : '--';
        }

        async function headOf(): Promise<number> {
          const snapshot = await node.rooms.snapshot(id);
          if (!snapshot.ok || snapshot.value === undefined) throw new Error('no room');
          return snapshot.value.seq;
        }
      }
    });

    describe('an order', () => {
      test('to mute is told to everyone as a change of that peer, and answered with its seq', async () => {
        const { ann, bob, carol } = await openTrio();
        const answer = await order(ann, MUTE(bob.peer, 'video', 'audio'));
        expect(answer).toEqual({ type: 'moderated', seq: 4 });
        for (const member of [ann, bob, carol]) {
          const [event, payload] = await nextEvent(member, 'moderated');
          expect([event, payload]).toMatchObject([
            'peer_updated',
            { seq: 4, peer: { id: bob.peer, name: 'Bob', muted: ['audio', 'video'], role: 'speaker' } },
          ]);
        }
        expect(await peerIn(ann, bob)).toMatchObject({ muted: ['audio', 'video'] });
      });

      test('to mute everyone changes all below, each with an event, and no one above', async () => {
        const { ann, bob, carol } = await openTrio();
        await order(ann, { action: 'set_role', peer: carol.peer, role: 'listener' });
        await carol.next('moderated');
        expect(await order(ann, MUTE('*', 'audio'))).toEqual({ type: 'moderated', seq: 6 });
        expect((await nextEvent(carol, 'moderated'))[1]).toMatchObject({
          seq: 5,
          peer: { id: bob.peer, muted: ['audio'] },
        });
        expect((await nextEvent(carol, 'moderated'))[1]).toMatchObject({
          seq: 6,
          peer: { id: carol.peer, muted: EVERY_KIND },
        });
        expect(await peerIn(bob, ann)).toMatchObject({ muted: [] });
        await order(ann, { action: 'set_role', peer: carol.peer, role: 'speaker' });
        expect(await peerIn(ann, carol)).toMatchObject({ muted: ['audio'], role: 'speaker' });
      });

      test('to kick ends the session wherever it is, is told to the others, and who did it to the one', async () => {
        const { ann, bob, carol } = await openTrio();
        const answer = await order(ann, { action: 'kick', peer: bob.peer, reason: 'noise' });
        expect(answer).toEqual({ type: 'moderated', seq: 4 });
        for (const member of [ann, carol])
          expect(await nextEvent(member, 'left')).toEqual([
            'peer_left',
            { seq: 4, peer: bob.peer, reason: 'kicked' },
          ]);
        await soon(() => bob.ended === 'removed', { what: 'the removal' });
        expect(bob.removal).toEqual({ reason: 'kicked', by: ann.peer });
        expect(bob.got('left')).toEqual([]);
        const expired = { ok: false, code: 'session_expired' };
        expect(await bob.node.rooms.relay(bob, bob.request(), message())).toEqual(expired);
        expect(await ann.node.resume(bob)).toEqual(expired);
        expect((await ann.node.tryJoin(blue, 'Bob')).ok).toBe(true);
      });

      test('to ban does so for good: the person stays out of this life of the room, and others do not', async () => {
        const { ann, bob, carol } = await openTrio();
        await order(ann, { action: 'ban', peer: bob.peer });
        expect(await nextEvent(carol, 'left')).toEqual([
          'peer_left',
          { seq: 4, peer: bob.peer, reason: 'banned' },
        ]);
        await soon(() => bob.ended === 'removed', { what: 'the removal' });
        expect(bob.removal).toEqual({ reason: 'banned', by: ann.peer });
        const again = { person: '~Bob' as Person };
        for (const node of [ann.node, bob.node])
          expect(await node.tryJoin(blue, 'Robert', again)).toEqual({ ok: false, code: 'banned' });
        expect((await ann.node.tryJoin(blue, 'Bob', { person: '~another Bob' as Person })).ok).toBe(true);
        expect((await ann.node.tryJoin(`${blue}-red`, 'Bob', again)).ok).toBe(true);
      });

      test('to ban is forgotten when the room has ended', async () => {
        const { ann, bob, carol } = await openTrio();
        await order(ann, { action: 'ban', peer: bob.peer });
        await ann.node.rooms.leave(carol, 'left', carol.request());
        await ann.node.rooms.leave(ann, 'left', ann.request());
        expect(await ann.node.tryJoin(blue, 'Bob', { person: '~Bob' as Person })).toMatchObject({
          ok: true,
          value: { snapshot: { peers: [{ name: 'Bob', role: 'host' }] } },
        });
      });

      test('to ban a person of a token takes all its sessions, and answers with the last seq', async () => {
        const { ann } = await openTrio();
        const person = '=dan' as Person;
        const join = (role: Role) =>
          ann.node.join(blue, role, null, 'at once', { person, roles: rolesOfToken(role) });
        const [phone, desk] = [await join('speaker'), await join('listener')];
        expect(await order(ann, { action: 'ban', peer: phone.peer })).toEqual({ type: 'moderated', seq: 7 });
        for (const member of [phone, desk]) {
          await soon(() => member.ended === 'removed', { what: 'both removals' });
          expect(member.removal).toEqual({ reason: 'banned', by: ann.peer });
        }
        const other = await ann.node.tryJoin(blue, 'another name', { person });
        expect(other).toEqual({ ok: false, code: 'banned' });
      });

      test('to ban or mute a person who sits higher in another session is forbidden, and one to all spares him', async () => {
        const { ann, bob, carol } = await openTrio();
        const person = '=dan' as Person;
        const join = (role: Role) =>
          ann.node.join(blue, role, null, 'at once', { person, roles: rolesOfToken(role) });
        const [phone, stage] = [await join('speaker'), await join('host')];
        await order(ann, { action: 'set_role', peer: bob.peer, role: 'moderator' });
        for (const each of [{ action: 'ban', peer: phone.peer } as const, MUTE(phone.peer, 'audio')])
          await expect(order(bob, each)).rejects.toThrow('forbidden');
        await order(bob, MUTE('*', 'audio'));
        expect(await peerIn(ann, carol)).toMatchObject({ muted: ['audio'] });
        expect(await peerIn(ann, phone)).toMatchObject({ muted: [] });
        expect(await order(bob, { action: 'kick', peer: phone.peer })).toMatchObject({ type: 'moderated' });
        expect(stage.ended).toBeUndefined();
      });

      test('to ban one of a name behind an address leaves others of both in, and lets no further one in', async () => {
        const { ann } = await openTrio();
        const given = { person: '~Tom' as Person };
        const tom = await ann.node.join(blue, 'Tom', null, 'at once', given);
        const other = await ann.node.join(blue, 'Tom', null, 'at once', { ...given, tokenHash: 'other' });
        await order(ann, { action: 'ban', peer: tom.peer });
        expect(await peerIn(ann, other)).toMatchObject({ connected: true });
        expect(await ann.node.tryJoin(blue, 'Tom', given)).toEqual({ ok: false, code: 'banned' });
      });

      test('to give a role is told to everyone; listeners are muted in every kind, speakers not', async () => {
        const { ann, bob, carol } = await openTrio();
        await order(ann, { action: 'set_role', peer: bob.peer, role: 'listener' });
        expect((await nextEvent(carol, 'moderated'))[1]).toMatchObject({
          peer: { id: bob.peer, role: 'listener', muted: EVERY_KIND },
        });
        expect(await say(bob)).toBe('media_forbidden');
        await order(ann, { action: 'set_role', peer: bob.peer, role: 'moderator' });
        expect((await nextEvent(bob, 'moderated'))[1]).toMatchObject({ peer: { role: 'listener' } });
        expect((await nextEvent(bob, 'moderated'))[1]).toMatchObject({
          peer: { role: 'moderator', muted: [] },
        });
        expect(await say(bob)).toBe('logged');
        expect(await order(bob, MUTE(carol.peer, 'audio'))).toMatchObject({ type: 'moderated' });
      });

      test('to one without a connection is done, and told to him when he comes back', async () => {
        const { ann, bob, carol } = await openTrio();
        await bob.detach();
        await carol.next('detached');
        await order(ann, MUTE(bob.peer, 'audio'));
        await carol.next('moderated');
        const back = await ann.node.resume(bob);
        if (!back.ok) throw new Error(back.code);
        expect((await nextEvent(back.value, 'moderated'))[1]).toMatchObject({
          peer: { id: bob.peer, muted: ['audio'] },
        });
        expect(await say(back.value, 'audio')).toBe('media_forbidden');
      });

      test('to kick one without a connection ends his session: he cannot resume', async () => {
        const { ann, bob, carol } = await openTrio();
        await bob.detach();
        await order(ann, { action: 'kick', peer: bob.peer });
        expect((await nextEvent(carol, 'left'))[1]).toMatchObject({ peer: bob.peer, reason: 'kicked' });
        expect(await carol.node.resume(bob)).toEqual({ ok: false, code: 'session_expired' });
      });

      test('to kick one who is just coming back elsewhere leaves him on neither node', async () => {
        const [beijing, shanghai] = nodes as unknown as [TestNode, TestNode];
        for (let n = 0; n < 10; n++) {
          const ann = await beijing.join(`${blue}-${n}`, 'Ann');
          const bob = await shanghai.join(`${blue}-${n}`, 'Bob');
          const [back] = await Promise.all([
            beijing.resume(bob, {}, n % 2 === 0 ? 'at once' : 'late'),
            order(ann, { action: 'kick', peer: bob.peer }),
          ]);
          if (!back.ok) expect(back.code).toBe('session_expired');
          const last = back.ok ? back.value : bob;
          await soon(() => last.ended === 'removed', { what: 'the removal' });
          await soon(() => bob.ended !== undefined, { what: 'the end of the first connection' });
          expect(await peersIn(ann)).toHaveLength(1);
        }
      });

      test('to ban a person who is just coming in with another device lets none of them stay', async () => {
        const [beijing, shanghai] = nodes as unknown as [TestNode, TestNode];
        const given = { person: '=bob' as Person, roles: rolesOfToken() };
        for (let n = 0; n < 10; n++) {
          const ann = await beijing.join(`${blue}-${n}`, 'Ann');
          const phone = await shanghai.join(`${blue}-${n}`, 'phone', null, 'at once', given);
          const [desk] = await Promise.all([
            shanghai.tryJoin(`${blue}-${n}`, 'desk', given),
            order(ann, { action: 'ban', peer: phone.peer }),
          ]);
          if (!desk.ok) expect(desk.code).toBe('banned');
          expect((await peersIn(ann)).map(({ name: who }) => who)).toEqual(['Ann']);
        }
      });

      test('that changes nothing has the seq of the head and no event', async () => {
        const { ann, bob } = await openTrio();
        await order(ann, MUTE(bob.peer, 'audio'));
        const seq = 4;
        for (const each of [
          MUTE(bob.peer, 'audio'),
          UNMUTE(bob.peer, 'video'),
          UNMUTE('*', 'message'),
          { action: 'unlock' } as const,
          { action: 'set_role', peer: bob.peer, role: 'speaker' } as const,
        ])
          expect(await order(ann, each)).toEqual({ type: 'moderated', seq });
        expect(await ann.node.log(ann.room)).toMatchObject({ head: seq });
      });
    });

    describe('a lock', () => {
      test('keeps newcomers out and is told to everyone, until it is opened again', async () => {
        const { ann, bob, carol } = await openTrio();
        expect(await order(ann, { action: 'lock' })).toEqual({ type: 'moderated', seq: 4 });
        for (const member of [ann, bob, carol])
          expect(await nextEvent(member, 'room_changed')).toEqual([
            'room_updated',
            { seq: 4, room: { name: blue, home: 'main', locked: true, peers_max: 100 } },
          ]);
        expect(await bob.node.tryJoin(blue, 'Dan')).toEqual({ ok: false, code: 'room_locked' });
        expect(await ann.node.rooms.snapshot(ann.room)).toMatchObject({ value: { room: { locked: true } } });
        await order(ann, { action: 'unlock' });
        expect((await nextEvent(bob, 'room_changed'))[1]).toMatchObject({ room: { locked: false } });
        expect((await bob.node.tryJoin(blue, 'Dan')).ok).toBe(true);
      });

      test('keeps nobody out who is in: neither a resume nor a join repeated by its key', async () => {
        const { ann, bob, carol } = await openTrio();
        await order(ann, { action: 'lock' });
        await bob.detach();
        expect(await carol.node.resume(bob)).toMatchObject({ ok: true });
        const again = await carol.node.tryJoin(blue, 'Carol', {
          peer: carol.peer,
          tokenHash: 'hash of the repeat',
        });
        expect(again).toMatchObject({ ok: true, value: { snapshot: { room: { locked: true } } } });
      });

      test('that comes while many join lets nobody in behind it', async () => {
        const [beijing, shanghai] = nodes as unknown as [TestNode, TestNode];
        const ann = await beijing.join(blue, 'Ann');
        const joins = Array.from({ length: 30 }, (_, n) => shanghai.tryJoin(blue, `p${n}`));
        const locked = await order(ann, { action: 'lock' });
        const outcomes = await Promise.all([
          ...joins,
          ...Array.from({ length: 10 }, (_, n) => shanghai.tryJoin(blue, `q${n}`)),
        ]);
        for (const joined of outcomes) {
          if (joined.ok) expect(joined.value.snapshot.seq).toBeLessThan(locked.seq);
          else expect(joined.code).toBe('room_locked');
        }
        expect(outcomes.filter(({ ok }) => !ok).length).toBeGreaterThanOrEqual(10);
      });
    });

    describe('a room that is closed', () => {
      test('ends for everyone, who is told by whom, and for nobody with a peer_left', async () => {
        const { ann, bob, carol } = await openTrio();
        expect(await order(ann, { action: 'close' })).toMatchObject({ type: 'moderated' });
        for (const member of [ann, bob, carol]) {
          await soon(() => member.ended === 'removed', { what: 'the removal' });
          expect(member.removal).toEqual({ reason: 'closed', by: ann.peer });
          expect(member.got('left')).toEqual([]);
        }
        expect(await ann.node.rooms.snapshot(ann.room)).toEqual({ ok: true, value: undefined });
        const expired = { ok: false, code: 'session_expired' };
        expect(await carol.node.resume(bob)).toEqual(expired);
        expect(await bob.node.rooms.relay(bob, bob.request(), message())).toEqual(expired);
      });

      test('leaves its name to others at once, under a greater epoch, with nothing of what was', async () => {
        const { ann, bob } = await openTrio();
        await order(ann, MUTE('*', 'audio'));
        await order(ann, { action: 'ban', peer: bob.peer });
        await order(ann, { action: 'lock' });
        await order(ann, { action: 'close' });
        const again = await bob.node.join(blue, 'Bob');
        expect(again.snapshot).toMatchObject({
          seq: 1,
          room: { locked: false },
          peers: [{ name: 'Bob', role: 'host', muted: [] }],
        });
        expect(again.snapshot.epoch).toBeGreaterThan(ann.snapshot.epoch);
        expect(await say(again)).toBe('logged');
        expect(again.ended).toBeUndefined();
      });

      test('ends for those, too, whose node did not hear it before the name was used anew', async () => {
        const { ann, bob, carol } = await openTrio();
        const [beijing, shanghai] = [ann.node, bob.node];
        shanghai.drops = () => true;
        await order(ann, { action: 'close' });
        const anew = await beijing.join(blue, 'Dan');
        shanghai.drops = () => false;
        expect(await say(anew)).toBe('logged');
        for (const member of [bob, carol])
          await soon(() => member.ended !== undefined, { what: 'an end for who did not hear it' });
        for (const member of [bob, carol]) {
          expect(member.got('message')).toEqual([]);
          expect(member.resyncs).toEqual([]);
          expect(await shanghai.resume(member)).toEqual({ ok: false, code: 'session_expired' });
        }
        expect(anew.ended).toBeUndefined();
        expect(await peersIn(anew)).toHaveLength(1);
      });

      test('ends for those, too, who are there without a connection', async () => {
        const { ann, bob, carol } = await openTrio();
        await bob.detach();
        await order(ann, { action: 'close' });
        await carol.node.join(blue, 'Dan');
        expect(await carol.node.resume(bob)).toEqual({ ok: false, code: 'session_expired' });
      });
    });

    describe('who is muted', () => {
      test('is refused what would send a muted kind, and free in the others', async () => {
        const { ann, bob } = await openTrio();
        await order(ann, MUTE(bob.peer, 'audio', 'message'));
        const refused = { ok: true, value: { type: 'refused', code: 'media_forbidden' } };
        const { rooms } = bob.node;
        expect(await rooms.relay(bob, bob.request(), message())).toEqual(refused);
        expect(await rooms.relay(bob, bob.request(), signal(ann, 'audio'))).toEqual(refused);
        expect(await rooms.relay(bob, bob.request(), signal(ann, 'video', 'audio'))).toEqual(refused);
        for (const kinds of [[], ['video']] as Kind[][])
          expect(await rooms.relay(bob, bob.request(), signal(ann, ...kinds))).toMatchObject({
            value: { type: 'sent' },
          });
        await ann.next('signal');
        await ann.next('signal');
        expect(ann.got('message')).toEqual([]);
        expect(await say(ann)).toBe('logged');
      });

      test('Q2, Q3: has used up the id of what was refused, and a repeat of it stays refused', async () => {
        const { ann, bob } = await openTrio();
        await order(ann, MUTE(bob.peer, 'message'));
        const request = bob.request();
        const refused = { ok: true, value: { type: 'refused', code: 'media_forbidden' } };
        expect(await bob.node.rooms.relay(bob, request, message())).toEqual(refused);
        await order(ann, UNMUTE(bob.peer, 'message'));
        expect(await bob.node.rooms.relay(bob, request, message())).toEqual(refused);
        expect(await say(bob)).toBe('logged');
        expect(await bob.node.rooms.relay(bob, request, message())).toEqual(refused);
      });

      test('is heard no more from the seq of the mute on, however fast he writes', async () => {
        const { ann, bob } = await openTrio();
        const writing = Array.from({ length: 40 }, () => bob.node.rooms.relay(bob, bob.request(), message()));
        const muted = await order(ann, MUTE(bob.peer, 'message'));
        for (const written of await Promise.all(writing)) {
          if (!written.ok) throw new Error(written.code);
          if (written.value.type === 'logged') expect(written.value.seq).toBeLessThan(muted.seq);
          else expect(written.value).toEqual({ type: 'refused', code: 'media_forbidden' });
        }
        expect(await say(bob)).toBe('media_forbidden');
      });

      test('is so still after a resume, a new join, and a change of role', async () => {
        const { ann, bob } = await openTrio();
        await order(ann, MUTE(bob.peer, 'audio'));
        const resumed = await ann.node.resume(bob);
        if (!resumed.ok) throw new Error(resumed.code);
        expect(await say(resumed.value, 'audio')).toBe('media_forbidden');
        await ann.node.rooms.leave(resumed.value, 'left', resumed.value.request());
        const again = await ann.node.join(blue, 'Bob', null, 'at once', { person: '~Bob' as Person });
        expect(again.snapshot.peers.at(-1)).toMatchObject({ muted: ['audio'] });
        expect(await say(again, 'audio')).toBe('media_forbidden');
        await order(ann, { action: 'set_role', peer: again.peer, role: 'moderator' });
        expect(await peerIn(ann, again)).toMatchObject({ role: 'moderator', muted: ['audio'] });
        expect(await say(again, 'audio')).toBe('media_forbidden');
        expect(await say(again)).toBe('logged');
      });

      test('comes back muted, too, who was muted with everyone, and not who joined after that', async () => {
        const { ann, bob, carol } = await openTrio();
        await order(ann, MUTE('*', 'video'));
        await carol.node.rooms.leave(carol, 'left', carol.request());
        const again = await bob.node.join(blue, 'Carol', null, 'at once', { person: '~Carol' as Person });
        expect(again.snapshot.peers.at(-1)).toMatchObject({ name: 'Carol', muted: ['video'] });
        const dan = await bob.node.join(blue, 'Dan');
        expect(dan.snapshot.peers.at(-1)).toMatchObject({ name: 'Dan', muted: [] });
      });

      test('is not after an unmute, and does not come back muted', async () => {
        const { ann, bob } = await openTrio();
        await order(ann, MUTE(bob.peer, 'audio', 'message'));
        await order(ann, UNMUTE('*', 'audio', 'message'));
        expect(await say(bob)).toBe('logged');
        await bob.node.rooms.leave(bob, 'left', bob.request());
        const again = await bob.node.join(blue, 'Bob', null, 'at once', { person: '~Bob' as Person });
        expect(again.snapshot.peers.at(-1)).toMatchObject({ name: 'Bob', muted: [] });
      });

      test('comes back muted in all that any of his name and address was', async () => {
        const { ann } = await openTrio();
        const given = { person: '~Tom' as Person };
        const one = await ann.node.join(blue, 'Tom', null, 'at once', given);
        const other = await ann.node.join(blue, 'Tom', null, 'at once', { ...given, tokenHash: 'other' });
        await order(ann, MUTE(one.peer, 'audio'));
        await order(ann, MUTE(other.peer, 'message'));
        expect(await peerIn(ann, other)).toMatchObject({ muted: ['message'] });
        const again = await ann.node.join(blue, 'Tom', null, 'at once', { ...given, tokenHash: 'third' });
        expect(await peerIn(ann, again)).toMatchObject({ muted: ['audio', 'message'] });
      });

      test('is so in all sessions of a person of a token', async () => {
        const { ann } = await openTrio();
        const person = '=dan' as Person;
        const given = { person, roles: rolesOfToken('speaker') };
        const phone = await ann.node.join(blue, 'phone', null, 'at once', given);
        const desk = await ann.node.join(blue, 'desk', null, 'at once', given);
        await order(ann, MUTE(phone.peer, 'message'));
        expect([await say(phone), await say(desk)]).toEqual(['media_forbidden', 'media_forbidden']);
        const tv = await ann.node.join(blue, 'tv', null, 'at once', given);
        expect(await say(tv)).toBe('media_forbidden');
        await order(ann, UNMUTE(tv.peer, 'message'));
        expect([await say(phone), await say(desk), await say(tv)]).toEqual(['logged', 'logged', 'logged']);
      });
    });

    describe('Q: an order that is sent again', () => {
      test('Q3: under its id has its first answer, and changes nothing twice', async () => {
        const { ann, bob } = await openTrio();
        const mute = ann.request();
        const first = await ann.node.rooms.moderate(ann, mute, MUTE(bob.peer, 'audio'));
        await order(ann, UNMUTE(bob.peer, 'audio'));
        const again = await ann.node.rooms.moderate(ann, mute, MUTE(bob.peer, 'audio'));
        expect(again).toMatchObject({ ok: true, value: { answer: first.ok && first.value.answer } });
        expect(await peerIn(ann, bob)).toMatchObject({ muted: [] });
        expect(await ann.node.log(ann.room)).toMatchObject({ head: 5 });
      });

      test('Q3: to kick has its first answer, though that peer is gone', async () => {
        const { ann, bob } = await openTrio();
        const kick = ann.request();
        const first = await ann.node.rooms.moderate(ann, kick, { action: 'kick', peer: bob.peer });
        const again = await ann.node.rooms.moderate(ann, kick, { action: 'kick', peer: bob.peer });
        expect(first).toMatchObject({ ok: true, value: { answer: { type: 'moderated', seq: 4 } } });
        expect(again).toMatchObject({ ok: true, value: { answer: { type: 'moderated', seq: 4 } } });
        expect(await ann.node.log(ann.room)).toMatchObject({ head: 4 });
      });

      test('Q3: from another connection after a resume has its first answer, too', async () => {
        const { ann, bob, carol } = await openTrio();
        const lock = ann.request();
        const first = await ann.node.rooms.moderate(ann, lock, { action: 'lock' });
        const resumed = await bob.node.resume(ann);
        if (!resumed.ok) throw new Error(resumed.code);
        expect(resumed.value.lastId).toBe(lock.id);
        await order(resumed.value, { action: 'unlock' });
        await carol.next('room_changed');
        const again = await bob.node.rooms.moderate(resumed.value, lock, { action: 'lock' });
        expect(again).toMatchObject({ value: { answer: first.ok && first.value.answer } });
        expect(await bob.node.rooms.snapshot(ann.room)).toMatchObject({ value: { room: { locked: false } } });
      });

      test('Q2: after a final refusal is refused alike, and the ids go on', async () => {
        const { ann, bob, carol } = await openTrio();
        const refused = (code: string) => ({ ok: true, value: { answer: { type: 'refused', code } } });
        const { rooms } = bob.node;
        const mute = bob.request();
        expect(await rooms.moderate(bob, mute, MUTE(carol.peer, 'audio'))).toMatchObject(
          refused('forbidden'),
        );
        await order(ann, { action: 'set_role', peer: bob.peer, role: 'moderator' });
        expect(await rooms.moderate(bob, mute, MUTE(carol.peer, 'audio'))).toMatchObject(
          refused('forbidden'),
        );
        const unknown = bob.request();
        expect(await rooms.moderate(bob, unknown, MUTE(NOBODY, 'audio'))).toMatchObject(
          refused('peer_not_found'),
        );
        expect(await order(bob, MUTE(carol.peer, 'audio'))).toMatchObject({ type: 'moderated' });
        expect(await rooms.moderate(bob, unknown, MUTE(NOBODY, 'audio'))).toMatchObject(
          refused('peer_not_found'),
        );
      });

      test('Q2: over a hole is unavailable, and changes nothing', async () => {
        const { ann, bob } = await openTrio();
        const lost = ann.request();
        const next = ann.request();
        const { rooms } = ann.node;
        expect(await rooms.moderate(ann, next, MUTE(bob.peer, 'audio'))).toEqual({
          ok: false,
          code: 'unavailable',
        });
        expect(await peerIn(ann, bob)).toMatchObject({ muted: [] });
        expect(await rooms.moderate(ann, lost, { action: 'lock' })).toMatchObject({ ok: true });
        expect(await rooms.moderate(ann, next, MUTE(bob.peer, 'audio'))).toMatchObject({ ok: true });
      });

      test('Q1: from a connection that was replaced, or a session that is not there, changes nothing', async () => {
        const { ann, bob } = await openTrio();
        const { rooms } = ann.node;
        // Both could not be carried out in any case: what is checked first is what is answered.
        for (const each of [MUTE(bob.peer, 'audio'), MUTE(NOBODY, 'audio')]) {
          expect(await rooms.moderate({ ...ann.ref, generation: 0 }, ann.request(), each)).toEqual({
            ok: false,
            code: 'session_replaced',
          });
          expect(await rooms.moderate({ ...ann.ref, peer: NOBODY }, ann.request(), each)).toEqual({
            ok: false,
            code: 'session_expired',
          });
        }
        expect(await rooms.snapshot(ann.room)).toMatchObject({ value: { seq: 3 } });
      });

      test('Q3: under the id of another kind of request is refused, whichever came first', async () => {
        const { ann, bob } = await openTrio();
        const { rooms } = ann.node;
        const sent = ann.request();
        await rooms.relay(ann, sent, message());
        const locked = ann.request();
        await rooms.moderate(ann, locked, { action: 'lock' });
        const invalid = { ok: false, code: 'invalid_request' };
        expect.soft(await rooms.moderate(ann, sent, MUTE(bob.peer, 'audio'))).toEqual(invalid);
        expect.soft(await rooms.relay(ann, locked, message())).toEqual(invalid);
        expect.soft(await rooms.update(ann, locked, { name: 'Anna' })).toEqual(invalid);
        expect.soft(await rooms.leave(ann, 'left', locked)).toEqual(invalid);
      });
    });

    describe('when the host of an open room goes', () => {
      test('who was there longest becomes host, and everybody is told after the farewell', async () => {
        const { ann, bob, carol } = await openTrio();
        await ann.node.rooms.leave(ann, 'left', ann.request());
        ann.leaveSeat();
        for (const member of [bob, carol]) {
          expect((await nextEvent(member, 'left'))[1]).toMatchObject({ seq: 4, peer: ann.peer });
          expect(await nextEvent(member, 'moderated')).toMatchObject([
            'peer_updated',
            { seq: 5, peer: { id: bob.peer, role: 'host' } },
          ]);
        }
        expect(await order(bob, MUTE(carol.peer, 'audio'))).toMatchObject({ type: 'moderated' });
      });

      test('by expiring or being shown out, it is the same', async () => {
        const { ann, bob, carol } = await openTrio();
        const generation = await ann.detach();
        await bob.node.rooms.leave({ ...ann.ref, generation }, 'expired');
        expect((await nextEvent(carol, 'moderated'))[1]).toMatchObject({
          peer: { id: bob.peer, role: 'host' },
        });
        expect(await bob.node.rooms.intervene(bob.room, { action: 'kick', peer: bob.peer })).toMatchObject({
          ok: true,
        });
        expect((await nextEvent(carol, 'moderated'))[1]).toMatchObject({
          peer: { id: carol.peer, role: 'host' },
        });
      });

      test('but only if no other host is there', async () => {
        const { ann, bob, carol } = await openTrio();
        await ann.node.rooms.intervene(ann.room, { action: 'set_role', peer: carol.peer, role: 'host' });
        await ann.node.rooms.leave(ann, 'left', ann.request());
        expect(await peerIn(bob, bob)).toMatchObject({ role: 'speaker' });
        expect(await peerIn(bob, carol)).toMatchObject({ role: 'host' });
      });

      test('the next one keeps what he was muted in, and nothing of what a listener is', async () => {
        const { ann, bob } = await openTrio();
        await order(ann, MUTE(bob.peer, 'video'));
        await order(ann, { action: 'set_role', peer: bob.peer, role: 'listener' });
        await ann.node.rooms.leave(ann, 'left', ann.request());
        expect(await peerIn(bob, bob)).toMatchObject({ role: 'host', muted: ['video'] });
      });

      test('nobody becomes host when others than the host go', async () => {
        const { ann, bob, carol } = await openTrio();
        await ann.node.rooms.leave(bob, 'left', bob.request());
        expect((await nextEvent(carol, 'left'))[1]).toMatchObject({ seq: 4 });
        expect(await ann.node.log(ann.room)).toMatchObject({ head: 4 });
      });

      test('with roles of tokens nobody becomes host', async () => {
        const [node] = nodes as unknown as [TestNode];
        const ann = await node.join(blue, 'Ann', null, 'at once', { roles: rolesOfToken('host') });
        const bob = await node.join(blue, 'Bob', null, 'at once', { roles: rolesOfToken() });
        await node.rooms.leave(ann, 'left', ann.request());
        expect(await peerIn(bob, bob)).toMatchObject({ role: 'speaker' });
        expect(await node.log(ann.room)).toMatchObject({ head: 3 });
      });

      test('with roles of tokens the first to come is no host by that', async () => {
        const [node] = nodes as unknown as [TestNode];
        const bob = await node.join(blue, 'Bob', null, 'at once', { roles: rolesOfToken('listener') });
        expect(bob.snapshot.peers).toMatchObject([{ role: 'listener', muted: EVERY_KIND }]);
        expect(await say(bob)).toBe('media_forbidden');
      });
    });

    describe('an operator', () => {
      test('stands above hosts, and nobody is named as the one who did it', async () => {
        const { ann, bob, carol } = await openTrio();
        const { rooms } = carol.node;
        expect(await rooms.intervene(ann.room, MUTE(ann.peer, 'message'))).toEqual({ ok: true, value: 4 });
        expect((await nextEvent(bob, 'moderated'))[1]).toMatchObject({
          peer: { id: ann.peer, muted: ['message'] },
        });
        expect(await say(ann)).toBe('media_forbidden');
        expect(await rooms.intervene(ann.room, { action: 'lock' })).toMatchObject({ ok: true });
        expect((await nextEvent(bob, 'room_changed'))[1]).toMatchObject({ room: { locked: true } });
        expect(await rooms.intervene(ann.room, { action: 'ban', peer: ann.peer })).toMatchObject({
          ok: true,
        });
        await soon(() => ann.ended === 'removed', { what: 'the removal' });
        expect(ann.removal).toEqual({ reason: 'banned', by: undefined });
      });

      test('closes a room, and it is nobody in it who did', async () => {
        const { ann, bob, carol } = await openTrio();
        expect(await bob.node.rooms.intervene(ann.room, { action: 'close' })).toMatchObject({ ok: true });
        for (const member of [ann, bob, carol]) {
          await soon(() => member.ended === 'removed', { what: 'the removal' });
          expect(member.removal).toEqual({ reason: 'closed', by: undefined });
        }
      });

      test('hears of rooms and peers that are not there', async () => {
        const { ann } = await openTrio();
        const { rooms } = ann.node;
        const none = { ok: false, code: 'room_not_found' };
        expect(await rooms.intervene(roomId(`${blue}-red`, 'main'), { action: 'close' })).toEqual(none);
        expect(await rooms.intervene(roomId(`${blue}-red`, 'main'), MUTE(NOBODY, 'audio'))).toEqual(none);
        expect(await rooms.intervene(ann.room, { action: 'kick', peer: NOBODY })).toEqual({
          ok: false,
          code: 'peer_not_found',
        });
        const hello = { to: undefined, body: '{}' };
        expect(await rooms.send(roomId(`${blue}-red`, 'main'), hello)).toEqual(none);
        expect(await rooms.send(ann.room, { ...hello, to: NOBODY })).toEqual({
          ok: false,
          code: 'peer_not_found',
        });
        await rooms.intervene(ann.room, { action: 'close' });
        expect(await rooms.intervene(ann.room, { action: 'lock' })).toEqual(none);
      });

      test('changes nothing by what is so already', async () => {
        const { ann, bob } = await openTrio();
        const mute = MUTE(bob.peer, 'audio');
        expect(await ann.node.rooms.intervene(ann.room, mute)).toEqual({ ok: true, value: 4 });
        expect(await ann.node.rooms.intervene(ann.room, mute)).toEqual({ ok: true, value: 4 });
        expect(await ann.node.log(ann.room)).toMatchObject({ head: 4 });
      });

      test('writes to all, or to one, from the server', async () => {
        const { ann, bob, carol } = await openTrio();
        const body = (n: number) => JSON.stringify({ from: 'server', topic: 'notice', data: n });
        expect(await ann.node.rooms.send(ann.room, { to: undefined, body: body(1) })).toEqual({
          ok: true,
          value: 4,
        });
        expect(await bob.node.rooms.send(ann.room, { to: carol.peer, body: body(2) })).toEqual({
          ok: true,
          value: 5,
        });
        await ann.node.rooms.send(ann.room, { to: undefined, body: body(3) });
        const heard = (member: Member) => member.got('message').map((record) => heardOf(record)?.[1]);
        await soon(() => [ann, bob, carol].every((member) => heard(member).at(-1)?.data === 3), {
          what: 'the last notice everywhere',
        });
        expect(heard(ann).map((event) => [event?.seq, event?.from, event?.data])).toEqual([
          [4, 'server', 1],
          [6, 'server', 3],
        ]);
        expect(heard(carol).map((event) => event?.data)).toEqual([1, 2, 3]);
      });

      test('shows the last member out: the room ends with him', async () => {
        const [node] = nodes as unknown as [TestNode];
        const ann = await node.join(blue, 'Ann');
        expect(await node.rooms.intervene(ann.room, { action: 'kick', peer: ann.peer })).toEqual({
          ok: true,
          value: 2,
        });
        await soon(() => ann.ended === 'removed', { what: 'the removal' });
        expect(ann.removal).toEqual({ reason: 'kicked', by: undefined });
        expect(await node.rooms.snapshot(ann.room)).toEqual({ ok: true, value: undefined });
      });
    });

    test('R2: what was ordered is part of what every hosting node knows', async () => {
      const { ann, bob, carol } = await openTrio();
      const dan = await carol.node.join(blue, 'Dan', null, 'at once', { person: '=dan' as Person });
      await order(ann, MUTE('*', 'video', 'audio'));
      await order(ann, { action: 'set_role', peer: carol.peer, role: 'moderator' });
      await order(carol, { action: 'ban', peer: dan.peer });
      await order(carol, UNMUTE(bob.peer, 'audio'));
      await order(ann, { action: 'lock' });
      for (const node of [ann.node, bob.node]) await knowsAll(node, ann);
      await order(ann, { action: 'unlock' });
      await order(carol, { action: 'kick', peer: bob.peer });
      await ann.node.rooms.leave(ann, 'left', ann.request());
      ann.leaveSeat();
      for (const node of [carol.node]) await knowsAll(node, carol);
    });

    test('R2: a node that comes later knows it as well', async () => {
      const { ann, bob, carol } = await openTrio();
      await order(ann, MUTE(bob.peer, 'video'));
      await order(ann, { action: 'ban', peer: carol.peer });
      await order(ann, { action: 'lock' });
      await order(ann, { action: 'unlock' });
      const third = nodes[2] as TestNode;
      const dan = await third.join(blue, 'Dan');
      await knowsAll(third, dan);
    });

    /** Ann, who is host, on one node, Bob and Carol on another, and all have seen each other. */
    async function openTrio() {
      const [beijing, shanghai] = nodes as unknown as [TestNode, TestNode];
      const given: JoinOptions = { roles: OPEN_ROOM_ROLES };
      const join = (node: TestNode, who: string) =>
        node.join(blue, who, null, 'at once', { ...given, person: `~${who}` as Person });
      const ann = await join(beijing, 'Ann');
      const bob = await join(shanghai, 'Bob');
      const carol = await join(shanghai, 'Carol');
      await soon(() => ann.got('joined').length === 2 && bob.got('joined').length === 1, {
        what: 'three who know each other',
      });
      return { ann, bob, carol };
    }

    /** The answer to an order. */
    async function order(member: Member, moderation: Moderation) {
      const request = member.request();
      const got = await untilAnswered(() => member.node.rooms.moderate(member.ref, request, moderation));
      if (!got.ok) throw new Error(got.code);
      const { answer } = got.value;
      if (answer.type === 'refused') throw new Error(answer.code);
      return answer;
    }

    /** What becomes of a message, or of a signal that would send these kinds. */
    async function say(member: Member, ...kinds: Kind[]): Promise<string> {
      const other = await someoneBeside(member);
      const relay = kinds.length === 0 ? message() : signal(other, ...kinds);
      const got = await member.node.rooms.relay(member.ref, member.request(), relay);
      if (!got.ok) throw new Error(got.code);
      return got.value.type === 'refused' ? got.value.code : got.value.type;
    }

    async function someoneBeside(member: Member): Promise<{ peer: PeerId }> {
      const others = (await peersIn(member)).filter(({ id }) => id !== member.peer);
      return { peer: others[0]?.id ?? NOBODY };
    }

    async function peersIn(member: Member): Promise<readonly Peer[]> {
      const snapshot = await member.node.rooms.snapshot(member.room);
      if (!snapshot.ok || snapshot.value === undefined) throw new Error('no room');
      return snapshot.value.peers;
    }

    async function peerIn(member: Member, whom: Member): Promise<Peer | undefined> {
      return (await peersIn(member)).find(({ id }) => id === whom.peer);
    }

    async function nextEvent(member: Member, type: 'moderated' | 'left' | 'room_changed') {
      return heardOf(await member.next(type)) as [string, Record<string, unknown>];
    }

    async function knowsAll(node: TestNode, member: Member): Promise<void> {
      const state = await node.rooms.state(member.room);
      if (!state.ok || state.value === undefined) throw new Error('no state');
      const expected = withAnswersThatCount(state.value);
      await soon(
        () => {
          const knowledge = new Map(node.feeds.knowledge()).get(member.room);
          const replica = parseState(JSON.parse(knowledge?.contribution() ?? '').state);
          expect(withAnswersThatCount(replica)).toEqual(expected);
        },
        { what: 'a replica like the room' },
      );
    }
  });
}

function message() {
  return {
    type: 'message' as const,
    to: undefined,
    echo: false,
    kinds: ['message'] as Kind[],
    body: '{"topic":"chat","data":1}',
  };
}

function signal(to: { peer: PeerId }, ...kinds: Kind[]) {
  return { type: 'signal' as const, to: to.peer, echo: false, kinds, body: '{"candidate":null}' };
}

function refusalOf(value: unknown): string | undefined {
  const answer = (value as { answer?: { type: string; code?: string } }).answer;
  return answer?.type === 'refused' ? answer.code : undefined;
}

function seqOf(value: unknown): number {
  return typeof value === 'number' ? value : ((value as { answer: { seq?: number } }).answer.seq ?? 0);
}

/** The event as its client reads it. */
function heardOf(record: RoomRecord): [string, Record<string, unknown>] | undefined {
  const event = eventOf(record);
  return event === undefined ? undefined : [event[0], JSON.parse(event[1])];
}

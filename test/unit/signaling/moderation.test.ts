import {
  KINDS,
  type Kind,
  type Moderation,
  type Peer,
  type PeerId,
  ROLES,
  type Role,
} from '@fenghuo/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Person } from '../../../services/signaling/domain/identity.ts';
import {
  type Actor,
  type Effects,
  heirOf,
  moderate,
  type Subject,
} from '../../../services/signaling/domain/moderation.ts';
import {
  ACTORS,
  type ActorName,
  ORDERS_TO_PEERS,
  ORDERS_TO_ROOM,
  type Outcome,
  rowsOf,
  type State,
  TARGETS,
} from '../../support/moderation-table.ts';

type Room = Parameters<typeof moderate>[0];

describe('what an order to one peer comes to, by both roles', () => {
  const cases = ORDERS_TO_PEERS.flatMap(([name, order, grids]) =>
    (['plain', 'muted', 'detached'] as const).flatMap((state) =>
      [false, true].map((locked) => ({ name, order, state, locked, grid: grids[state] })),
    ),
  );

  test.each(cases)('$name, where that peer is $state and the room locked: $locked', (given) => {
    const { order, state, locked, grid } = given;
    const rows = ACTORS.map((actorName) => {
      const cells = TARGETS.map((column) => {
        if (actorName === 'operator' && column === 'self') return '.';
        const { actor, room } = scene(actorName, { state, locked });
        const target = column === 'self' ? 'actor' : column;
        return outcomeOf(moderate(room, actor, order(target as PeerId)), target as PeerId);
      });
      return [actorName, ...cells].join(' ');
    });
    expect(rows.join('\n')).toBe(rowsOf(grid));
  });

  test('one who was banned or kicked is gone: no order finds that peer', () => {
    const { room, actor } = scene('host', {});
    const banned = moderate(room, actor, { action: 'ban', peer: 'speaker' as PeerId });
    const left = without(room, banned.ok ? banned.value : undefined);
    for (const [, order] of ORDERS_TO_PEERS)
      expect(moderate(left, actor, order('speaker' as PeerId))).toEqual({
        ok: false,
        code: 'peer_not_found',
      });
  });
});

describe('what an order to the room comes to', () => {
  test('lock, unlock and close, in a room that is open or locked', () => {
    const rows = ACTORS.map((actorName) => {
      const cells = [false, true].flatMap((locked) =>
        (['lock', 'unlock', 'close'] as const).map((action) => {
          const { room, actor } = scene(actorName, { locked });
          return outcomeOf(moderate(room, actor, { action }));
        }),
      );
      return [actorName, ...cells].join(' ');
    });
    expect(rows.join('\n')).toBe(rowsOf(ORDERS_TO_ROOM));
  });

  test.each([
    ['lock', false, { changed: [], removed: [], locked: true }],
    ['unlock', true, { changed: [], removed: [], locked: false }],
    ['close', false, { changed: [], removed: [], isClosed: true }],
  ] as const)('%s changes the room and nobody in it', (action, locked, effects) => {
    const { room, actor } = scene('host', { locked });
    expect(moderate(room, actor, { action })).toEqual({ ok: true, value: effects });
  });
});

describe('what an order to everyone below comes to', () => {
  const BELOW: Readonly<Record<ActorName, readonly Role[] | 'forbidden'>> = {
    host: ['moderator', 'speaker', 'listener'],
    moderator: ['speaker', 'listener'],
    speaker: 'forbidden',
    listener: 'forbidden',
    operator: ['host', 'moderator', 'speaker', 'listener'],
  };

  describe.each(ACTORS)('by %s', (actorName) => {
    const everyone = (action: 'mute' | 'unmute'): Moderation => ({ action, peer: '*', kinds: ['audio'] });

    test.each([
      ['mute', 'plain', true],
      ['mute', 'detached', true],
      ['mute', 'muted', false],
      ['unmute', 'plain', false],
      ['unmute', 'detached', false],
      ['unmute', 'muted', true],
    ] as const)('%s, where all are %s', (action, state, changes) => {
      const { room, actor } = scene(actorName, { state });
      const below = BELOW[actorName];
      const got = moderate(room, actor, everyone(action));
      if (below === 'forbidden') return expect(got).toEqual({ ok: false, code: 'forbidden' });
      expect(got).toMatchObject({ ok: true, value: { removed: [] } });
      expect(got.ok && got.value.changed.map(({ peer }) => peer.id)).toEqual(changes ? below : []);
    });
  });

  test('only those change whom it changes', () => {
    const room = roomOf([
      subject('host', 'host'),
      subject('dumb', 'speaker', { mutes: ['audio', 'video'] }),
      subject('loud', 'speaker', { mutes: ['message'] }),
    ]);
    const order: Moderation = { action: 'mute', peer: '*', kinds: ['audio', 'video'] };
    expect(moderate(room, 'operator', order)).toMatchObject({
      value: {
        changed: [
          { peer: { id: 'host', muted: ['audio', 'video'] }, mutes: ['audio', 'video'] },
          {
            peer: { id: 'loud', muted: ['audio', 'video', 'message'] },
            mutes: ['audio', 'video', 'message'],
          },
        ],
      },
    });
  });
});

describe('who is muted in what', () => {
  const HOST: Actor = { id: 'host' as PeerId, role: 'host' };
  const ann = 'ann' as PeerId;
  const only = (given: Parameters<typeof subject>[2], role: Role = 'speaker') =>
    roomOf([subject('host', 'host'), subject('ann', role, given)]);
  const changeOf = (room: Room, order: Moderation) => {
    const got = moderate(room, HOST, order);
    if (!got.ok) throw new Error(got.code);
    return got.value.changed.map(({ peer, mutes }) => ({ role: peer.role, muted: peer.muted, mutes }));
  };

  test.each<[string, Kind[], 'mute' | 'unmute', Kind[], Kind[]]>([
    ['one more kind', ['video'], 'mute', ['audio'], ['audio', 'video']],
    [
      'all kinds, named in any order',
      [],
      'mute',
      ['message', 'video', 'audio'],
      ['audio', 'video', 'message'],
    ],
    ['a kind named twice', [], 'mute', ['video', 'video'], ['video']],
    ['one kind less', ['audio', 'video'], 'unmute', ['audio'], ['video']],
    ['kinds of which one was muted', ['audio'], 'unmute', ['audio', 'message'], []],
  ])('%s', (_, mutes, action, kinds, after) => {
    expect(changeOf(only({ mutes }), { action, peer: ann, kinds })).toEqual([
      { role: 'speaker', muted: after, mutes: after },
    ]);
  });

  test('a listener is muted in every kind, and an unmute takes only what it was muted in besides', () => {
    const all = ['audio', 'video', 'message'];
    const mute: Moderation = { action: 'mute', peer: ann, kinds: ['video'] };
    expect(changeOf(only({}, 'listener'), mute)).toEqual([
      { role: 'listener', muted: all, mutes: ['video'] },
    ]);
    const unmute: Moderation = { action: 'unmute', peer: ann, kinds: ['video'] };
    expect(changeOf(only({ mutes: ['video'] }, 'listener'), unmute)).toEqual([
      { role: 'listener', muted: all, mutes: [] },
    ]);
  });

  test('who becomes a listener is muted in every kind, and a speaker again in what he was muted in before', () => {
    const down: Moderation = { action: 'set_role', peer: ann, role: 'listener' };
    expect(changeOf(only({ mutes: ['video'] }), down)).toEqual([
      { role: 'listener', muted: ['audio', 'video', 'message'], mutes: ['video'] },
    ]);
    const up: Moderation = { action: 'set_role', peer: ann, role: 'speaker' };
    expect(changeOf(only({ mutes: ['video'] }, 'listener'), up)).toEqual([
      { role: 'speaker', muted: ['video'], mutes: ['video'] },
    ]);
    const higher: Moderation = { action: 'set_role', peer: ann, role: 'moderator' };
    expect(changeOf(only({ mutes: ['video'] }), higher)).toEqual([
      { role: 'moderator', muted: ['video'], mutes: ['video'] },
    ]);
  });

  test('nothing else of a peer changes', () => {
    const room = only({ metadata: { hand: true }, connected: false });
    const got = moderate(room, HOST, { action: 'set_role', peer: ann, role: 'listener' });
    const before = room.members.get(ann)?.peer;
    expect(got.ok && got.value.changed[0]?.peer).toEqual({
      ...before,
      role: 'listener',
      muted: ['audio', 'video', 'message'],
    });
  });
});

describe('one person in several sessions', () => {
  const MODERATOR: Actor = { id: 'mod' as PeerId, role: 'moderator' };
  const phone = 'phone' as PeerId;
  const room = (person: string, ...more: readonly Subject[]) =>
    roomOf([
      subject('mod', 'moderator', { person: '=mod' }),
      subject('desk', 'speaker', { person }),
      subject('phone', 'speaker', { person }),
      subject('tv', 'listener', { person }),
      subject('other', 'speaker'),
      ...more,
    ]);
  const run = (of: Room, order: Moderation) => {
    const got = moderate(of, MODERATOR, order);
    if (!got.ok) return got.code;
    return [...got.value.removed, ...got.value.changed.map(({ peer }) => peer.id)];
  };
  const ban: Moderation = { action: 'ban', peer: phone };
  const mute: Moderation = { action: 'mute', peer: phone, kinds: ['audio'] };
  const unmute: Moderation = { action: 'unmute', peer: phone, kinds: ['audio'] };

  test('a ban, a mute and an unmute take all sessions of a sure person, the named one last', () => {
    expect(run(room('=p'), ban)).toEqual(['desk', 'tv', 'phone']);
    expect(run(room('=p'), mute)).toEqual(['desk', 'tv', 'phone']);
    const muted = roomOf(
      [...room('=p').members.values()].map((each) => ({ ...each, mutes: ['audio'] as const })),
    );
    expect(run(muted, unmute)).toEqual(['desk', 'tv', 'phone']);
  });

  test('they are forbidden where one of that person is not below: they would be kept for that one as well', () => {
    for (const role of ['moderator', 'host'] as const) {
      const stage = subject('stage', role, { person: '=p' });
      for (const order of [ban, mute, unmute]) expect(run(room('=p', stage), order)).toBe('forbidden');
    }
  });

  test('nobody acts on himself by another session of his', () => {
    for (const order of [ban, mute]) expect(run(room('=mod'), order)).toBe('forbidden');
  });

  test('an order to everyone below spares a sure person who sits higher elsewhere, and nobody else', () => {
    const everyone: Moderation = { action: 'mute', peer: '*', kinds: ['audio'] };
    const stage = (person: string) => subject('stage', 'host', { person });
    expect(run(room('=p', stage('=p')), everyone)).toEqual(['other']);
    expect(run(room('=mod'), everyone)).toEqual(['other']);
    expect(run(room('=p', stage('=q')), everyone)).toEqual(['desk', 'phone', 'tv', 'other']);
    expect(run(room('~p', stage('~p')), everyone)).toEqual(['desk', 'phone', 'tv', 'other']);
  });

  test('a kick and a role are for the named session alone, whatever the others are', () => {
    const stage = subject('stage', 'host', { person: '=p' });
    expect(run(room('=p', stage), { action: 'kick', peer: phone })).toEqual(['phone']);
    expect(run(room('=p', stage), { action: 'set_role', peer: phone, role: 'listener' })).toEqual(['phone']);
  });

  test('of people of one name behind one address only the named one is meant', () => {
    const stage = subject('stage', 'host', { person: '~p' });
    for (const order of [ban, mute]) expect(run(room('~p', stage), order)).toEqual(['phone']);
  });
});

describe('who becomes host when the host is gone', () => {
  const heir = (inherits: boolean, ...members: readonly Subject[]) =>
    heirOf({ ...roomOf(members), inherits });

  test('in an open room the one who was there longest, whatever the role', () => {
    expect(heir(true, subject('old', 'speaker'), subject('new', 'moderator'))).toMatchObject({
      peer: { id: 'old', role: 'host', muted: [] },
      mutes: [],
    });
    expect(
      heir(true, subject('old', 'listener', { mutes: ['video'] }), subject('new', 'speaker')),
    ).toMatchObject({
      peer: { id: 'old', role: 'host', muted: ['video'] },
      mutes: ['video'],
    });
  });

  test('nobody where another host is there, where nobody is there, or where roles come from tokens', () => {
    expect(heir(true, subject('old', 'speaker'), subject('new', 'host'))).toBeUndefined();
    expect(heir(true)).toBeUndefined();
    expect(heir(false, subject('old', 'speaker'))).toBeUndefined();
  });
});

describe('in any room, any order by anyone', () => {
  const roles = fc.constantFrom(...ROLES);
  const kinds = fc.uniqueArray(fc.constantFrom(...KINDS), { minLength: 1 });
  const subjects = fc.array(
    fc.record({
      role: roles,
      person: fc.constantFrom('=a', '=b', '~a', '~b'),
      mutes: fc.subarray([...KINDS]),
    }),
    { minLength: 1, maxLength: 7 },
  );
  const who = fc.nat(8).map((n) => `p${n}` as PeerId);
  const orders: fc.Arbitrary<Moderation> = fc.oneof(
    fc.record({
      action: fc.constantFrom('mute', 'unmute'),
      peer: fc.oneof(who, fc.constant('*' as const)),
      kinds,
    }),
    fc.record({ action: fc.constantFrom('kick', 'ban'), peer: who }),
    fc.record({ action: fc.constant('set_role'), peer: who, role: roles }),
    fc.record({ action: fc.constantFrom('lock', 'unlock', 'close') }),
  );
  /** Written anew, so that a fault in the order of ROLES shows. */
  const RANK = { host: 3, moderator: 2, speaker: 1, listener: 0 };

  const inAnyRoom = (check: (room: Room, actor: Actor, order: Moderation, effects: Effects) => void) =>
    fc.assert(
      fc.property(subjects, fc.nat(7), fc.boolean(), orders, (members, n, locked, order) => {
        const room = roomOf(
          members.map((each, index) => subject(`p${index}`, each.role, each)),
          locked,
        );
        const actor = room.members.get(`p${n}` as PeerId)?.peer ?? 'operator';
        const got = moderate(room, actor, order);
        if (got.ok) check(room, actor, order, got.value);
      }),
      { numRuns: 2_000 },
    );

  test('touches nobody who is not below its author, and makes nobody his equal', () => {
    inAnyRoom((room, actor, _, { changed, removed }) => {
      if (actor === 'operator') return;
      for (const id of [...changed.map(({ peer }) => peer.id), ...removed]) {
        const before = room.members.get(id)?.peer.role as Role;
        expect(RANK[before]).toBeLessThan(RANK[actor.role]);
      }
      for (const { peer } of changed) expect(RANK[peer.role]).toBeLessThan(RANK[actor.role]);
    });
  });

  test('changes nothing when it is given again', () => {
    inAnyRoom((room, actor, order, effects) => {
      if (order.action === 'close') return;
      const again = moderate(without(room, effects), actor, order);
      if (effects.removed.length > 0) return expect(again).toMatchObject({ code: 'peer_not_found' });
      expect(again).toEqual({ ok: true, value: { changed: [], removed: [] } });
    });
  });

  test('names nobody twice, and leaves the room as it was handed in', () => {
    inAnyRoom((room, actor, order, { changed, removed }) => {
      const named = [...changed.map(({ peer }) => peer.id), ...removed];
      expect(new Set(named).size).toBe(named.length);
      const before = JSON.stringify([...room.members]);
      moderate(room, actor, order);
      expect(JSON.stringify([...room.members])).toBe(before);
    });
  });
});

/** A room of one peer of each role, named by it, all in one state, and the actor beside them. */
function scene(
  actorName: ActorName,
  given: { state?: State; locked?: boolean },
): { room: Room; actor: Actor } {
  const { state = 'plain', locked = false } = given;
  const more = { mutes: state === 'muted' ? (['audio'] as const) : [], connected: state !== 'detached' };
  const members = ROLES.map((role) => subject(role, role, more));
  if (actorName === 'operator') return { room: roomOf(members, locked), actor: 'operator' };
  const actor = subject('actor', actorName);
  return { room: roomOf([actor, ...members], locked), actor: actor.peer };
}

function roomOf(members: readonly Subject[], locked = false): Room {
  return { locked, members: new Map(members.map((each) => [each.peer.id, each])) };
}

function subject(
  id: string,
  role: Role,
  given: { mutes?: readonly Kind[]; person?: string; connected?: boolean; metadata?: Peer['metadata'] } = {},
): Subject {
  const { mutes = [], person = `=${id}`, connected = true, metadata = null } = given;
  const muted: Kind[] = role === 'listener' ? ['audio', 'video', 'message'] : [...mutes];
  const peer: Peer = {
    id: id as PeerId,
    name: id,
    role,
    muted,
    connected,
    metadata,
    joined_seq: 1,
    node: 'node',
    region: 'region',
  };
  return { peer, person: person as Person, mutes };
}

/** The room after the order. */
function without(room: Room, effects: Effects | undefined): Room {
  const members = new Map(room.members);
  for (const id of effects?.removed ?? []) members.delete(id);
  for (const { peer, mutes } of effects?.changed ?? [])
    members.set(peer.id, { ...(members.get(peer.id) as Subject), peer, mutes });
  return { locked: effects?.locked ?? room.locked, members };
}

function outcomeOf(result: ReturnType<typeof moderate>, target?: PeerId): Outcome {
  if (!result.ok) return result.code === 'forbidden' ? 'no' : '??';
  const { changed, removed, locked, isClosed } = result.value;
  const concerned = [...changed.map(({ peer }) => peer.id), ...removed];
  if (target !== undefined && concerned.length > 0) expect(concerned).toEqual([target]);
  return concerned.length > 0 || locked !== undefined || isClosed === true ? 'ok' : '--';
}

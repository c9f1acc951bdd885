import type { Kind, Peer, PeerId, Role } from '@fenghuo/client';
import { describe, expect, test } from 'vitest';

import {
  handsUp,
  hasHandUp,
  hasTurnedOn,
  mayActOn,
  ownChanges,
  rolesToGive,
} from '../../../services/web/room-rules.ts';

function person(role: Role, muted: Kind[] = [], metadata: Peer['metadata'] = null, id: string = role): Peer {
  const place = { connected: true, joined_seq: 1, node: 'beijing-1', region: 'beijing' };
  return { id: id as PeerId, name: id, role, muted, metadata, ...place };
}

test('buttons are for hosts and moderators, about those below them', () => {
  const roles: Role[] = ['host', 'moderator', 'speaker', 'listener'];
  const below = (role: Role) => roles.filter((other) => mayActOn(person(role), person(other)));
  expect(roles.map(below)).toEqual([['moderator', 'speaker', 'listener'], ['speaker', 'listener'], [], []]);
});

test("the roles that one may give are lower than one's own, and others than the person has", () => {
  expect(rolesToGive(person('host'), person('speaker'))).toEqual(['moderator', 'listener']);
  expect(rolesToGive(person('moderator'), person('listener'))).toEqual(['speaker']);
});

describe('what one is told of oneself', () => {
  test('is each kind that was muted or unmuted', () => {
    expect(ownChanges(person('speaker', ['audio']), person('speaker', ['video', 'message']))).toEqual([
      { type: 'unmuted', kind: 'audio' },
      { type: 'muted', kind: 'video' },
      { type: 'muted', kind: 'message' },
    ]);
  });

  test('is the role alone where that is new, since it says what one may send', () => {
    const listener = person('listener', ['audio', 'video', 'message']);
    expect(ownChanges(person('speaker', [], null, 'listener'), listener)).toEqual([
      { type: 'role', role: 'listener' },
    ]);
  });

  test('is nothing where nothing changed', () => {
    expect(ownChanges(person('speaker'), person('speaker', [], { hand: true }))).toEqual([]);
  });

  test('is, for a newcomer, what is withheld', () => {
    const former = person('host', ['audio'], null, 'of a session before');
    for (const before of [undefined, former]) {
      expect(ownChanges(before, person('host'))).toEqual([]);
      expect(ownChanges(before, person('speaker', ['audio']))).toEqual([{ type: 'muted', kind: 'audio' }]);
      const listener = person('listener', ['audio', 'video', 'message']);
      expect(ownChanges(before, listener)).toEqual([{ type: 'role', role: 'listener' }]);
    }
  });
});

test('whatever metadata others have, only a clear word raises a hand or turns a device off', () => {
  for (const metadata of [null, 7, 'hand', ['hand'], {}, { hand: 'yes' }, { hand: 1 }]) {
    expect([
      hasHandUp(person('speaker', [], metadata)),
      hasTurnedOn(person('speaker', [], metadata), 'camera'),
    ]).toEqual([false, true]);
  }
  const clear = person('speaker', [], { hand: true, camera: false });
  expect([hasHandUp(clear), hasTurnedOn(clear, 'camera'), hasTurnedOn(clear, 'microphone')]).toEqual([
    true,
    false,
    true,
  ]);
});

test('hands of listeners come first', () => {
  const hand = { hand: true };
  const asking = handsUp([
    person('speaker', [], hand, 'one'),
    person('listener', [], hand, 'two'),
    person('speaker', [], null, 'three'),
    person('listener', [], hand, 'four'),
  ]);
  expect(asking.map(({ name }) => name)).toEqual(['two', 'four', 'one']);
});

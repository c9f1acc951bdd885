import { createHash } from 'node:crypto';
import type { Kind, Role } from '@fenghuo/protocol';
import { describe, expect, test } from 'vitest';
import {
  certainPersonOf,
  isCertain,
  NOBODY_KNOWN,
  personOf,
} from '../../../services/signaling/domain/identity.ts';
import {
  effectiveMutes,
  isAbove,
  OPEN_ROOM_ROLES,
  rolesOfToken,
} from '../../../services/signaling/domain/roles.ts';

describe('roles', () => {
  test('host is above moderator, moderator above speaker, speaker above listener, and none above itself', () => {
    const ABOVE: Readonly<Record<Role, readonly Role[]>> = {
      host: ['moderator', 'speaker', 'listener'],
      moderator: ['speaker', 'listener'],
      speaker: ['listener'],
      listener: [],
    };
    const all = Object.keys(ABOVE) as Role[];
    for (const role of all) expect(all.filter((other) => isAbove(role, other))).toEqual(ABOVE[role]);
  });

  test('without tokens the first is host, the others are speakers, and hosts have successors', () => {
    expect(OPEN_ROOM_ROLES).toEqual({ first: 'host', others: 'speaker', inherits: true });
  });

  test('with tokens the role is the one that the token names, for the first as well, and nobody inherits', () => {
    expect(rolesOfToken('listener')).toEqual({ first: 'listener', others: 'listener', inherits: false });
    expect(rolesOfToken('host')).toEqual({ first: 'host', others: 'host', inherits: false });
  });

  test('a token that names no role makes a speaker', () => {
    expect(rolesOfToken(undefined)).toEqual({ first: 'speaker', others: 'speaker', inherits: false });
  });

  test.each<[Role, Kind[], Kind[]]>([
    ['host', [], []],
    ['speaker', [], []],
    ['speaker', ['message', 'audio'], ['audio', 'message']],
    ['moderator', ['video'], ['video']],
    ['listener', [], ['audio', 'video', 'message']],
    ['listener', ['video'], ['audio', 'video', 'message']],
  ])('a %s who was muted in %j is muted in %j', (role, mutes, muted) => {
    expect(effectiveMutes(role, mutes)).toEqual(muted);
  });
});

describe('persons', () => {
  const hash = (text: string) => createHash('sha256').update(text).digest('base64url');
  const ann = { ...NOBODY_KNOWN, sub: 'ann' };

  test('with a token a person is its sub, whatever the name and the address', () => {
    const person = personOf(ann, 'Ann', '192.0.2.1', hash);
    expect(personOf(ann, 'Anna', '198.51.100.7', hash)).toBe(person);
    expect(personOf({ ...ann, role: 'host', name: 'A' }, 'Ann', '192.0.2.1', hash)).toBe(person);
    expect(personOf({ ...ann, sub: 'bob' }, 'Ann', '192.0.2.1', hash)).not.toBe(person);
    expect(certainPersonOf(ann, hash)).toBe(person);
    expect(isCertain(person)).toBe(true);
  });

  test('an empty sub is one, too', () => {
    expect(isCertain(personOf({ ...ann, sub: '' }, 'Ann', '192.0.2.1', hash))).toBe(true);
  });

  test('without a token a person is one of a name behind an address, and never for sure', () => {
    const person = personOf(NOBODY_KNOWN, 'Ann', '192.0.2.1', hash);
    expect(personOf(NOBODY_KNOWN, 'Ann', '192.0.2.1', hash)).toBe(person);
    expect(personOf(NOBODY_KNOWN, 'Bob', '192.0.2.1', hash)).not.toBe(person);
    expect(personOf(NOBODY_KNOWN, 'Ann', '192.0.2.2', hash)).not.toBe(person);
    expect(certainPersonOf(NOBODY_KNOWN, hash)).toBeUndefined();
    expect(isCertain(person)).toBe(false);
  });

  test('no name makes one a person that another name, address or sub is', () => {
    const all = [
      personOf(NOBODY_KNOWN, '2 Ann', '192.0.2.1', hash),
      personOf(NOBODY_KNOWN, 'Ann', '192.0.2.1 2', hash),
      personOf(NOBODY_KNOWN, '', '192.0.2.1', hash),
      personOf({ ...ann, sub: '192.0.2.1 Ann' }, '', '', hash),
      personOf({ ...ann, sub: 'name 192.0.2.1 Ann' }, '', '', hash),
      personOf(NOBODY_KNOWN, 'Ann', '192.0.2.1', hash),
    ];
    expect(new Set(all.slice(2)).size).toBe(all.length - 2);
    expect(all[0]).not.toBe(all[5]);
  });

  test('what rooms hold of a person shows neither name, address nor sub, and has no blank', () => {
    for (const person of [
      personOf(ann, 'Ann', '192.0.2.1', hash),
      personOf(NOBODY_KNOWN, 'Ann B', '2001:db8::1', hash),
    ])
      expect(person).toMatch(/^[=~][A-Za-z0-9_-]{16}$/);
  });
});

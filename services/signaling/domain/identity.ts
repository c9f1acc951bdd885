import type { Role } from '@fenghuo/protocol';

/** Who a connection speaks for. In an open cluster nobody says so, and everything here is undefined. */
export interface Identity {
  readonly sub: string | undefined;
  /** Wins over the name that a join gives. */
  readonly name: string | undefined;
  /** The rooms it may join, with or without their homes; undefined: any. */
  readonly rooms: readonly string[] | undefined;
  readonly role: Role | undefined;
  /** On the wall clock. Undefined: never. */
  readonly expiresAtMs: number | undefined;
}

export const NOBODY_KNOWN: Identity = {
  sub: undefined,
  name: undefined,
  rooms: undefined,
  role: undefined,
  expiresAtMs: undefined,
};

/**
 * Whom a ban or a mute is kept for, as rooms hold it: a mark and a hash. `=`: surely that person, by the token's
 * `sub`. `~`: by name and address, which merges people of one name behind one address.
 */
export type Person = string & { readonly __brand: 'Person' };

export function personOf(identity: Identity, name: string, address: string, hash: Hash): Person {
  return certainPersonOf(identity, hash) ?? person('~', hash(`name ${address} ${name}`));
}

export function certainPersonOf({ sub }: Identity, hash: Hash): Person | undefined {
  return sub === undefined ? undefined : person('=', hash(`sub ${sub}`));
}

export function isCertain(person: Person): boolean {
  return person.startsWith('=');
}

type Hash = (text: string) => string;

const HASH_CHARS = 16;

function person(mark: '=' | '~', hash: string): Person {
  return `${mark}${hash.slice(0, HASH_CHARS)}` as Person;
}

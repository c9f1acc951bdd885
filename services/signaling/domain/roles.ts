import { KINDS, type Kind, ROLES, type Role } from '@fenghuo/protocol';

/**
 * The roles that a join hands to the step that creates its peer, which alone knows whether the room was empty.
 * Without tokens the first peer is host and the others are speakers.
 */
export interface JoinRoles {
  readonly first: Role;
  readonly others: Role;
  /** The room is without tokens: when its host is gone, the longest-present peer becomes host. */
  readonly inherits: boolean;
}

export const OPEN_ROOM_ROLES: JoinRoles = { first: 'host', others: 'speaker', inherits: true };

/** With tokens, a role comes from the token, or later from `set_role`. */
export function rolesOfToken(role: Role = 'speaker'): JoinRoles {
  return { first: role, others: role, inherits: false };
}

export function isAbove(role: Role, other: Role): boolean {
  return ROLES.indexOf(role) < ROLES.indexOf(other);
}

/** What the server refuses to relay from a peer: a listener has nothing to send. In the order of KINDS. */
export function effectiveMutes(role: Role, muted: readonly Kind[]): Kind[] {
  return role === 'listener' ? [...KINDS] : KINDS.filter((kind) => muted.includes(kind));
}

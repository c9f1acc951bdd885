import type { Role } from '@fenghuo/protocol';

/**
 * In an open room, where no token names a role, the first peer is host and the others are speakers. Handed to the
 * step that creates a peer, which alone knows whether the room was empty.
 */
export const OPEN_ROOM_ROLES = { first: 'host', others: 'speaker' } as const satisfies Record<string, Role>;

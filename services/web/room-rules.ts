import type { Kind, Peer, Role } from '@fenghuo/client';

/** The protocol's own lists stand beside its schemas, which a page does without. */
const ROLES: readonly Role[] = ['host', 'moderator', 'speaker', 'listener'];
export const KINDS: readonly Kind[] = ['audio', 'video', 'message'];

/** What the page offers of moderation. The nodes decide; this only spares people buttons that would be refused. */

export function mayModerate(self: Peer | undefined): boolean {
  return self?.role === 'host' || self?.role === 'moderator';
}

export function mayActOn(self: Peer | undefined, peer: Peer): boolean {
  return self !== undefined && mayModerate(self) && isBelow(peer.role, self.role);
}

/** The other roles that one may give a person. */
export function rolesToGive(self: Peer, peer: Peer): Role[] {
  return ROLES.filter((role) => isBelow(role, self.role) && role !== peer.role);
}

function isBelow(role: Role, other: Role): boolean {
  return ROLES.indexOf(role) > ROLES.indexOf(other);
}

export function isMuted(peer: Pick<Peer, 'muted'> | undefined, kind: Kind): boolean {
  return peer?.muted.includes(kind) ?? false;
}

/** A hand up: one asks to speak. Others' metadata may be anything. */
export function hasHandUp({ metadata }: Peer): boolean {
  return saysOf(metadata, 'hand') === true;
}

/** Whether a person has a device turned on, as they say themselves. */
export function hasTurnedOn({ metadata }: Peer, device: 'microphone' | 'camera'): boolean {
  return saysOf(metadata, device) !== false;
}

function saysOf(metadata: unknown, name: string): unknown {
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  return (metadata as Record<string, unknown>)[name];
}

/** What others have decided of oneself; of a role only that, for it says what one may send. */
export type OwnChange =
  | { readonly type: 'role'; readonly role: Role }
  | { readonly type: 'muted' | 'unmuted'; readonly kind: Kind };

/** A newcomer, who counts on being heard and seen, is told what is withheld. */
export function ownChanges(before: Peer | undefined, after: Peer): OwnChange[] {
  const isNew = before?.id !== after.id;
  const known = isNew ? { role: after.role === 'listener' ? 'speaker' : after.role, muted: [] } : before;
  if (known.role !== after.role) return [{ type: 'role', role: after.role }];
  return KINDS.flatMap((kind): OwnChange[] => {
    if (isMuted(known, kind) === isMuted(after, kind)) return [];
    return [{ type: isMuted(after, kind) ? 'muted' : 'unmuted', kind }];
  });
}

/** Listeners first, then whoever has been here longest. */
export function handsUp(peers: readonly Peer[]): Peer[] {
  const isListener = ({ role }: Peer) => Number(role === 'listener');
  return peers.filter(hasHandUp).sort((one, other) => isListener(other) - isListener(one));
}

/** Says to a person's page that the hand is to go down: somebody has answered. */
export const HAND_TOPIC = 'hand';

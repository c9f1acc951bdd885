import { EVERYONE_BELOW, KINDS, type Kind, type Moderation, type Peer, type PeerId } from '@fenghuo/protocol';
import { isCertain, type Person } from './identity.ts';
import { ok, type Result, refuse } from './result.ts';
import { effectiveMutes, isAbove } from './roles.ts';

/** Who acts: a member, or an operator, who stands above all. */
export type Actor = Pick<Peer, 'id' | 'role'> | 'operator';

/** A member, as the rules see it. */
export interface Subject {
  readonly peer: Peer;
  readonly person: Person;
  /** What it was muted in, whatever its role mutes besides. */
  readonly mutes: readonly Kind[];
}

/** What an action changes. None of them may be nothing: what was so before needs no record. */
export interface Effects {
  /** The members that change, as they are then. */
  readonly changed: readonly Changed[];
  /** Whose sessions end: the one that was named last. */
  readonly removed: readonly PeerId[];
  /** Undefined: stays as it is. */
  readonly locked?: boolean;
  readonly isClosed?: boolean;
}

export interface Changed {
  readonly peer: Peer;
  readonly mutes: readonly Kind[];
}

const NOTHING: Effects = { changed: [], removed: [] };

/**
 * What an order comes to, or why it may not be: hosts and moderators act on lower roles alone, and grant lower ones
 * alone; a room is closed by hosts, since that ends everybody's session.
 */
export function moderate(
  room: { readonly locked: boolean; readonly members: ReadonlyMap<PeerId, Subject> },
  actor: Actor,
  order: Moderation,
): Result<Effects, 'forbidden' | 'peer_not_found'> {
  if (!mayModerate(actor)) return refuse('forbidden');
  switch (order.action) {
    case 'lock':
    case 'unlock':
      return ok({ ...NOTHING, ...lockedBy(room.locked, order.action === 'lock') });
    case 'close':
      return stands(actor, 'moderator') ? ok({ ...NOTHING, isClosed: true }) : refuse('forbidden');
    case 'mute':
    case 'unmute':
    case 'kick':
    case 'ban':
    case 'set_role':
      return actOn(room.members, actor, order);
    default:
      return order satisfies never;
  }
}

/** Who is host once a host's session is over: of an open room without any, the one who has been there longest. */
export function heirOf(room: {
  readonly inherits: boolean;
  readonly members: ReadonlyMap<PeerId, Subject>;
}): Changed | undefined {
  const [first] = room.members.values();
  const hasHost = [...room.members.values()].some(({ peer }) => peer.role === 'host');
  if (!room.inherits || hasHost || first === undefined) return undefined;
  const { peer, mutes } = first;
  return { peer: { ...peer, role: 'host', muted: effectiveMutes('host', mutes) }, mutes };
}

/** How many people a room keeps bans for, and mutes: nothing grows without bound. */
export const PEOPLE_KEPT_MAX = 4_096;

function mayModerate(actor: Actor): boolean {
  return stands(actor, 'speaker');
}

function stands(actor: Actor, above: Peer['role']): boolean {
  return actor === 'operator' || isAbove(actor.role, above);
}

function lockedBy(before: boolean, locked: boolean): { locked?: boolean } {
  return before === locked ? {} : { locked };
}

type OrderOnPeer = Extract<Moderation, { peer: unknown }>;

function actOn(
  members: ReadonlyMap<PeerId, Subject>,
  actor: Actor,
  order: OrderOnPeer,
): Result<Effects, 'forbidden' | 'peer_not_found'> {
  const below = [...members.values()].filter(({ peer }) => stands(actor, peer.role));
  if (order.peer === EVERYONE_BELOW) {
    const everyone = below.filter((each) =>
      alike(members, order, each).every((other) => below.includes(other)),
    );
    return ok({ ...NOTHING, changed: changedBy(order, everyone) });
  }
  const target = members.get(order.peer);
  if (target === undefined) return refuse('peer_not_found');
  if (order.action === 'set_role' && !stands(actor, order.role)) return refuse('forbidden');
  const sessions = [...alike(members, order, target), target];
  if (!sessions.every((each) => below.includes(each))) return refuse('forbidden');
  if (order.action === 'ban' || order.action === 'kick')
    return ok({ ...NOTHING, removed: sessions.map(({ peer }) => peer.id) });
  return ok({ ...NOTHING, changed: changedBy(order, sessions) });
}

/**
 * Other sessions of the same person, if it is surely the same: a ban or a mute is kept for the person, and so must be
 * within the rights of who orders it wherever that person sits.
 */
function alike(
  members: ReadonlyMap<PeerId, Subject>,
  { action }: OrderOnPeer,
  target: Subject,
): readonly Subject[] {
  if (action === 'kick' || action === 'set_role' || !isCertain(target.person)) return [];
  return [...members.values()].filter((each) => each.person === target.person && each !== target);
}

/** Those whom the order changes, as they are then. */
function changedBy(order: OrderOnPeer, subjects: readonly Subject[]): Changed[] {
  return subjects.flatMap(({ peer, mutes }) => {
    const role = order.action === 'set_role' ? order.role : peer.role;
    const after = mutesAfter(order, mutes);
    if (role === peer.role && after.length === mutes.length) return [];
    return [{ peer: { ...peer, role, muted: effectiveMutes(role, after) }, mutes: after }];
  });
}

export function mutesAfter(order: Moderation, mutes: readonly Kind[]): Kind[] {
  return KINDS.filter((kind) => {
    if (order.action === 'mute' && order.kinds.includes(kind)) return true;
    return mutes.includes(kind) && !(order.action === 'unmute' && order.kinds.includes(kind));
  });
}

import type { Session } from './session.ts';
import type { SimulatedPeer } from './simulated-peer.ts';

/** A session, and the client whose it is or was. */
export interface Owner {
  readonly session: Session;
  readonly peer: SimulatedPeer;
}

/**
 * For how many milliseconds somebody had been silent of whom others were told that it left; undefined where they were
 * told rightly: it did leave, or was silent for as long as a session outlives its connection.
 */
export function wrongDeparture(owner: Owner | undefined): number | undefined {
  // A probe, or a join whose reply was lost and that was not taken up again: nobody is missing.
  if (owner === undefined || owner.session.isLeaving || owner.session.isOver) return undefined;
  const { session, peer } = owner;
  const heardMs = Math.max(session.heardMs, peer.session === session ? peer.heardMs : 0);
  const silentMs = performance.now() - heardMs;
  return silentMs >= session.windowMs ? undefined : silentMs;
}

import type { Candidate, Description } from '@fenghuo/protocol';

export interface LinkFault {
  readonly step: LinkStep;
  readonly error: unknown;
  /** The link makes up for it by itself: it offers anew, restarts ICE or takes another connection. */
  readonly isHealing: boolean;
}

/**
 * What failed: the making of the connection, of an offer, of an answer; the taking of the other side's offer, answer or
 * candidate, or of other ICE servers; the sending of a description or candidate; the waiting for an answer.
 */
export type LinkStep =
  | 'connection'
  | 'offer'
  | 'answer'
  | 'remote_offer'
  | 'remote_answer'
  | 'candidate'
  | 'servers'
  | 'signal'
  | 'answer_timeout';

export type OutgoingSignal = { readonly description: Description } | { readonly candidate: Candidate | null };

export interface LinkState {
  readonly connection: RTCPeerConnectionState;
  readonly ice: RTCIceConnectionState;
  readonly phase: LinkPhase;
}

/**
 * `calling`: never connected yet. `recovering`: the path was lost, and is looked for. `unanswered`: the other side does not
 * answer, and is asked again. `failed`: the browser makes no connection, and is asked again.
 */
export type LinkPhase = 'calling' | 'connected' | 'recovering' | 'unanswered' | 'failed';

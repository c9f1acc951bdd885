import type { Crowd } from './crowd.ts';

/** An even stream of numbered signals, all clients in turn, whatever becomes of them. */
export interface Traffic {
  /** Sendings that rate and time have asked for until now. */
  readonly planned: number;
  stop(): void;
}

const TICK_MS = 20;
/** A client without a connection keeps what it is to send; one that never comes back must not keep all there is. */
const BACKLOG_MAX = 1_000;

export function startTraffic(crowd: Crowd, perSecond: number): Traffic {
  const startMs = performance.now();
  let planned = 0;
  let turn = 0;
  const timer = setInterval(() => {
    // Counted by the clock, so that a late turn of the loop is made up for and not forgotten.
    const due = Math.floor(((performance.now() - startMs) / 1_000) * perSecond);
    for (; planned < due; planned++) {
      const peer = crowd.peers[turn++ % crowd.peers.length];
      if (peer !== undefined) crowd.send(peer, BACKLOG_MAX);
    }
  }, TICK_MS);
  return {
    get planned() {
      return planned;
    },
    stop: () => clearInterval(timer),
  };
}

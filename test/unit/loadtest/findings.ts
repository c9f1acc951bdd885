import type { Findings } from '../../../services/loadtest/verdict.ts';

/** What a good run of a scenario that kills a node counts. */
export function goodFindings(): Findings {
  return {
    planned: 1_000,
    ledger: {
      sent: 1_000,
      accepted: 1_000,
      received: 1_000,
      lost: 0,
      named: 0,
      doubled: 0,
      reordered: 0,
      misrouted: 0,
      phantom: 0,
      unanswered: 0,
      unknown: 0,
      expected: 0,
      delivered: 0,
      examples: [],
    },
    crowd: {
      resumed: 5,
      recoveredFalse: 0,
      resyncs: 0,
      resyncsComplete: 0,
      wrongPeerLeft: 0,
      expiredEarly: 0,
      expiredHosted: 0,
      expired: 0,
      repeated: 0,
      failed: 0,
      servedAgain: 3,
      slowestResume: '',
      withheld: {},
      cutOff: 5,
      odd: {},
      examples: [],
    },
    rosters: { ghosts: 0, missing: 0, detached: 0, examples: [] },
    faults: [
      {
        kind: 'kill',
        node: 'a',
        atMs: 3_000,
        tookMs: 900,
        hasBitten: true,
        evidence: '5 clients cut off',
        clients: 5,
      },
    ],
    crashes: [],
    unsettled: [],
    resumeMs: { count: 5, p50: 100, p99: 200, max: 200 },
    gapMs: { count: 10, p50: 20, p99: 300, max: 300 },
    loopDelayP99Ms: 30,
  };
}

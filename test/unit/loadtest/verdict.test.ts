import { describe, expect, test } from 'vitest';

import { SCENARIOS } from '../../../services/loadtest/scenarios.ts';
import { type Findings, judge } from '../../../services/loadtest/verdict.ts';
import { goodFindings } from './findings.ts';

const good = goodFindings();
const { limits } = SCENARIOS.kill;

test('a good run passes', () => {
  expect(judge(good, limits)).toEqual({ isPass: true, reasons: [] });
});

const crowd = (changed: Partial<Findings['crowd']>): Findings => ({
  ...good,
  crowd: { ...good.crowd, ...changed },
});
const ledger = (changed: Partial<Findings['ledger']>): Findings => ({
  ...good,
  ledger: { ...good.ledger, ...changed },
});
const rosters = (changed: Partial<Findings['rosters']>): Findings => ({
  ...good,
  rosters: { ...good.rosters, ...changed },
});

describe('one alone makes it fail:', () => {
  test.each<[string, Findings, RegExp]>([
    ['a lost signal', ledger({ lost: 1 }), /^1 lost without a word$/],
    ['a loss that is named, where Redis keeps its data', ledger({ named: 1 }), /1 lost and named/],
    ['a doubled signal', ledger({ doubled: 1 }), /1 doubled/],
    ['an event delivered again', crowd({ repeated: 1 }), /1 events delivered again/],
    ['a reordered signal', ledger({ reordered: 1 }), /1 reordered/],
    ['a misrouted signal', ledger({ misrouted: 1 }), /1 misrouted/],
    ['a refused signal that arrives', ledger({ phantom: 1 }), /1 delivered though refused/],
    ['a request without an answer', ledger({ unanswered: 1 }), /1 never answered/],
    ['a request refused for good', crowd({ failed: 1 }), /1 requests refused for good/],
    ['a wrong peer_left', crowd({ wrongPeerLeft: 1 }), /1 wrong peer_left/],
    [
      'a session over inside its window',
      crowd({ expired: 1, expiredEarly: 1 }),
      /^1 sessions over inside their window$/,
    ],
    [
      'a session over after its window',
      crowd({ expired: 1 }),
      /^1 sessions over, their clients back too late$/,
    ],
    ['a needless recovered: false', crowd({ recoveredFalse: 1 }), /1 resumed with recovered: false/],
    ['a needless resync', crowd({ resyncs: 1 }), /1 resyncs/],
    [
      'something against the protocol',
      crowd({ odd: { 'removed: replaced': 2 } }),
      /2 times .*removed: replaced/,
    ],
    ['a ghost', rosters({ ghosts: 1 }), /1 ghosts/],
    ['a missing peer', rosters({ missing: 1 }), /1 missing/],
    ['a peer shown as detached', rosters({ detached: 1 }), /1 shown as detached/],
    [
      'a node that ended by itself',
      { ...good, crashes: ['a ended by itself: exit code 1'] },
      /a ended by itself/,
    ],
    [
      'what does not come to rest',
      { ...good, unsettled: ['1 clients without a connection'] },
      /without a connection/,
    ],
    [
      'a slow resume',
      { ...good, resumeMs: { count: 5, p50: 9, p99: 1_501, max: 2_000 } },
      /resume is 1501 ms, over 1500/,
    ],
  ])('%s', (_, findings, reason) => {
    const { isPass, reasons } = judge(findings, limits);
    expect(isPass).toBe(false);
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toMatch(reason);
  });
});

describe('a run that could not have shown a fault fails:', () => {
  test('less than 95 % of the planned signals were sent and accepted', () => {
    expect(judge(ledger({ accepted: 950 }), limits).isPass).toBe(true);
    expect(judge(ledger({ accepted: 949 }), limits).reasons).toEqual([
      'only 949 of 1000 planned were sent and accepted (94 %)',
    ]);
  });

  test('nothing was to be sent', () => {
    expect(judge({ ...ledger({ accepted: 0 }), planned: 0 }, limits).isPass).toBe(false);
  });

  test('a fault did not bite', () => {
    const [fault] = good.faults;
    if (fault === undefined) throw new Error('no fault');
    const faults = [fault, { ...fault, atMs: 8_000, hasBitten: false, evidence: 'no client was on it' }];
    expect(judge({ ...good, faults }, limits).reasons).toEqual([
      'kill of a at 8.0 s did not bite: no client was on it',
    ]);
  });

  test('no fault happened', () => {
    expect(judge({ ...good, faults: [] }, limits).reasons).toEqual(['no fault happened']);
  });

  test('nothing resumed', () => {
    expect(judge(crowd({ resumed: 0 }), limits).reasons).toEqual(['nothing resumed']);
  });

  test('no request had to wait for Redis', () => {
    expect(judge(crowd({ servedAgain: 0 }), SCENARIOS['redis-pause'].limits).reasons).toEqual([
      'no request had to wait, and none was served again',
    ]);
  });

  test('but traffic without faults need not show any of that', () => {
    const findings = { ...crowd({ resumed: 0, servedAgain: 0 }), faults: [] };
    expect(judge(findings, SCENARIOS.calm.limits).isPass).toBe(true);
  });
});

describe('what a scenario permits', () => {
  test('a Redis that lost its data may cost signals, where their loss is named', () => {
    const findings = { ...ledger({ named: 3 }), crowd: { ...good.crowd, resyncs: 4, recoveredFalse: 1 } };
    expect(judge(findings, SCENARIOS['redis-empty'].limits).isPass).toBe(true);
    expect(judge(ledger({ lost: 1 }), SCENARIOS['redis-empty'].limits).isPass).toBe(false);
  });

  test('sessions may end early where a node and Redis die together, and nowhere else', () => {
    const findings = crowd({ expired: 1, expiredEarly: 1 });
    expect(judge(findings, SCENARIOS.together.limits).isPass).toBe(true);
    expect(judge(findings, SCENARIOS['redis-empty'].limits).isPass).toBe(false);
  });

  test('but not a session whose room a living node hosted', () => {
    const findings = crowd({ expired: 1, expiredEarly: 1, expiredHosted: 1 });
    expect(judge(findings, SCENARIOS.together.limits).reasons).toEqual([
      '1 sessions over inside their window, though a living node hosted their room',
    ]);
  });

  test('a complete resync is no loss', () => {
    expect(judge(crowd({ resyncs: 2, resyncsComplete: 2 }), limits).isPass).toBe(true);
  });

  test('a storm may not be followed by a second one', () => {
    expect(judge(good, SCENARIOS.storm.limits).isPass).toBe(true);
    expect(judge(crowd({ cutOff: 6 }), SCENARIOS.storm.limits).reasons).toEqual([
      '1 connections lost again, after the fault',
    ]);
  });

  test('a rolling restart bounds the gap in service', () => {
    const findings = { ...good, gapMs: { count: 10, p50: 20, p99: 1_001, max: 1_500 } };
    expect(judge(findings, SCENARIOS.roll.limits).reasons).toEqual([
      'p99 of the gap in service is 1001 ms, over 1000 ms',
    ]);
  });
});

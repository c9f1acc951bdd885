import { describe, expect, test } from 'vitest';

import {
  EXIT_CODES,
  judge,
  parseSlo,
  type Unjudged,
} from '../../../../services/loadtest/load/report/index.ts';
import { sampleRun } from './sample-result.ts';

function withSignals(signals: Partial<Unjudged['signals']>): Unjudged {
  const run = sampleRun();
  return { ...run, signals: { ...run.signals, ...signals } };
}

describe('the verdict', () => {
  test('of a run without faults is a pass, where nothing else is asked', () => {
    expect(judge(sampleRun(), [])).toEqual({
      slos: ['lost==0', 'doubled==0', 'reordered==0', 'misrouted==0'].map((text) => ({
        text,
        value: 0,
        isMet: true,
      })),
      verdict: 'pass',
      reasons: [],
    });
  });

  test.each(['lost', 'doubled', 'reordered', 'misrouted'] as const)(
    'of one signal %s is no pass',
    (fault) => {
      const { verdict, reasons } = judge(withSignals({ [fault]: 1 }), []);
      expect({ verdict, reasons }).toEqual({ verdict: 'slo_failed', reasons: [`${fault}==0: it is 1`] });
    },
  );

  test('names each SLO that is not met, with what was measured', () => {
    const { slos, verdict, reasons } = judge(
      sampleRun({ slowness: 2 }),
      ['relay_region_p50<16ms', 'lost==0'].map(parseSlo),
    );
    expect(slos.map(({ isMet }) => isMet)).toEqual([false, true]);
    expect(verdict).toBe('slo_failed');
    expect(reasons).toEqual([expect.stringMatching(/^relay_region_p50<16ms: it is 3\d(\.\d)? ms$/)]);
  });

  test('of an SLO on what the run did not measure says so', () => {
    const { memory: _, ...run } = sampleRun();
    const { slos, verdict, reasons } = judge(run, [parseSlo('bytes_per_connection<40KiB')]);
    expect(slos).toEqual([{ text: 'bytes_per_connection<40KiB', value: null, isMet: false }]);
    expect({ verdict, reasons }).toEqual({
      verdict: 'slo_failed',
      reasons: ['bytes_per_connection<40KiB: this run did not measure it'],
    });
  });

  test('of a run in which nothing arrived that could have been lost is no pass', () => {
    expect(judge(withSignals({ accepted: 0, expected: 0, delivered: 0 }), []).verdict).toBe('slo_failed');
  });

  test('of a generator that lagged is invalid, whatever else was met or missed', () => {
    const run = sampleRun();
    const lagging = {
      ...run.generator,
      isValid: false,
      reasons: ['event-loop delay p99 is 31 ms, over 10 ms'],
    };
    const met = judge({ ...run, generator: lagging }, []);
    expect(met).toMatchObject({ verdict: 'invalid', reasons: lagging.reasons });
    const missed = judge({ ...withSignals({ lost: 2 }), generator: lagging }, []);
    expect(missed).toMatchObject({ verdict: 'invalid', reasons: [...lagging.reasons, 'lost==0: it is 2'] });
  });

  test('of a target that took no connection is unreachable, and says what it answered', () => {
    const run = sampleRun();
    const connections = {
      ...run.connections,
      opened: 0,
      failed: 400,
      peak: 0,
      refused: { unauthorized: 400 },
    };
    expect(judge({ ...run, connections }, [])).toMatchObject({
      verdict: 'unreachable',
      reasons: ['none of 400 connections was opened (400 × unauthorized)'],
    });
  });

  test('has an exit code of its own each', () => {
    expect(EXIT_CODES).toEqual({ pass: 0, slo_failed: 1, unreachable: 3, invalid: 4 });
  });
});

import { describe, expect, test } from 'vitest';

import { commandLine } from '../../../../services/loadtest/load/report/command-line.ts';
import { changes } from '../../../../services/loadtest/load/report/compare.ts';
import { summaryText } from '../../../../services/loadtest/load/report/index.ts';
import { summaryMarkdown } from '../../../../services/loadtest/load/report/summary.ts';
import { sampleResult } from './sample-result.ts';

const SLOS = ['lost==0', 'relay_region_p50<15ms'];

describe('the summary in the terminal', () => {
  const text = summaryText(sampleResult({ slos: SLOS }));
  const lines = text.split('\n');

  test('begins with what went wrong, of how many', () => {
    expect(lines.find((line) => line !== '')).toBe(
      '0 lost, 0 doubled, 0 reordered, 0 misrouted of 12,000 signals',
    );
  });

  test('says what was asked and what it got, and ends with the verdict and its reasons', () => {
    expect(lines).toContain('  ✓  lost==0                      0');
    expect(lines).toContain('  ✗  relay_region_p50<15ms  15.9 ms');
    expect(text.trimEnd().endsWith('FAIL\n  relay_region_p50<15ms: it is 15.9 ms')).toBe(true);
  });

  test('sets latencies below each other', () => {
    const head = lines.findIndex((line) => /latency +count +p50 +p90 +p95 +p99 +p99\.9 +max/.test(line));
    const table = lines.slice(head, head + 9);
    expect(table[1]).toMatch(/^ {2}relay +12,000 +[\d.]+ ms/);
    expect(new Set(table.map((line) => line.length)).size).toBe(1);
  });

  test('tells how the run went, only as far as it was measured', () => {
    expect(text).toContain('refused: 4 rate_limited');
    expect(text).toContain('120 sessions cut off at 30 s; 99 % were back after 3.7 s');
    expect(text).toContain('24.4 KiB per connection over 400 of them');
    expect(text).toContain('ramp 0 s – 8 s, steady 8 s – 30 s, storm at 30 s');
    expect(text).toContain(
      'valid: loop delay p99 2.31 ms, 3 of 12,500 started late (0.02 %); 2 workers on 1 machine',
    );
    const { recovery: _, memory: __, calls: ___, ...rest } = sampleResult();
    expect(summaryText(rest)).not.toMatch(/cut off at|per connection over|hung up/);
  });

  test('has colours only where they are wanted', () => {
    expect(text).not.toContain('\u001b');
    expect(summaryText(sampleResult({ slos: SLOS }), { hasColours: true })).toContain('\u001b[31m');
  });

  test('begins in red where a single signal went wrong, in green else', () => {
    const result = sampleResult();
    const misrouted = { ...result, signals: { ...result.signals, misrouted: 1 } };
    const beginning = (of: typeof result) => summaryText(of, { hasColours: true }).trimStart();
    expect(beginning(misrouted).startsWith('\u001b[31m0 lost')).toBe(true);
    expect(beginning(result).startsWith('\u001b[32m0 lost')).toBe(true);
  });

  test('sets an earlier run beside it', () => {
    const before = sampleResult({ slowness: 2 });
    expect(summaryText(sampleResult(), { before })).toMatch(
      /relay_region_p50 +3\d(\.\d)? ms +15\.9 ms +×0\.5 +better/,
    );
  });

  test('bears an SLO of another version', () => {
    const result = { ...sampleResult(), slos: [{ text: 'warmth>3', value: 4, isMet: true }] };
    expect(summaryText(result)).toContain('✓  warmth>3  4');
  });

  test('of an invalid run says that its figures are not the target’s', () => {
    const result = {
      ...sampleResult(),
      verdict: 'invalid' as const,
      reasons: ['event-loop delay p99 is 31 ms'],
    };
    expect(summaryText(result)).toMatch(
      /INVALID: the generator was too slow.*\n {2}event-loop delay p99 is 31 ms/,
    );
  });
});

describe('the summary in Markdown', () => {
  test('has the headline, the SLOs, the latencies, the run and its command', () => {
    const text = summaryMarkdown(
      sampleResult({ slos: SLOS }),
      changes(sampleResult({ slowness: 2 }), sampleResult()),
    );
    expect(text).toMatch(/^# Load test `storm`: FAIL\n\n\*\*0 lost, 0 doubled/);
    expect(text).toContain('| ✗ | relay_region_p50\\<15ms | 15.9 ms |');
    expect(text).toContain('| latency | count | p50 |');
    expect(text).toContain('## Against the earlier run');
    expect(text).toMatch(/```sh\nnpm run load -- storm .*\n```\n$/);
    expect(text).not.toContain('undefined');
  });
});

describe('the command line of a run', () => {
  test('makes such a run again', () => {
    expect(commandLine(sampleResult({ slos: SLOS }))).toBe(
      "npm run load -- storm --url http://127.0.0.1:3001 --rate 200 --duration 60s --share '30 %' --json --seed 7 --slo lost==0 --slo 'relay_region_p50<15ms'",
    );
  });

  test('gives an option several times that was', () => {
    const options = { url: 'a=http://127.0.0.1:1 b=http://127.0.0.1:2' };
    expect(commandLine({ ...sampleResult({ slos: [] }), options, seed: 1 })).toBe(
      'npm run load -- storm --url a=http://127.0.0.1:1 --url b=http://127.0.0.1:2 --seed 1',
    );
  });

  test('does not repeat what is asked anyway', () => {
    expect(commandLine(sampleResult({ slos: [] }))).not.toContain('--slo');
  });

  test('is safe to paste', () => {
    const result = { ...sampleResult({ slos: [] }), options: { name: "it's $(rm -rf /)" }, seed: 1 };
    expect(commandLine(result)).toBe("npm run load -- storm --name 'it'\\''s $(rm -rf /)' --seed 1");
  });
});

describe('a comparison', () => {
  test('has ratios of latencies, rates and memory, and says which way is better', () => {
    const slow = sampleResult({ slowness: 2 });
    const fast = sampleResult();
    const rows = new Map(changes(slow, fast).map((change) => [change.metric, change]));
    expect(rows.get('relay_region_p50')).toMatchObject({ trend: 'better', ratio: expect.closeTo(0.5, 2) });
    expect(rows.get('bytes_per_connection')).toMatchObject({
      before: '48.8 KiB',
      after: '24.4 KiB',
      ratio: 0.5,
    });
    expect(rows.get('delivered_per_s')).toMatchObject({ ratio: 1, trend: 'same' });
    expect(rows.get('lost')).toEqual({ metric: 'lost', before: '0', after: '0', trend: 'same' });
    expect(
      new Map(changes(fast, slow).map((change) => [change.metric, change.trend])).get('relay_region_p50'),
    ).toBe('worse');
  });

  test('calls a loss worse, even where there was none before', () => {
    const now = sampleResult();
    const rows = changes(sampleResult(), { ...now, signals: { ...now.signals, lost: 1 } });
    expect(rows.find(({ metric }) => metric === 'lost')).toEqual({
      metric: 'lost',
      before: '0',
      after: '1',
      trend: 'worse',
    });
  });

  test('calls more delivered per second better', () => {
    const now = sampleResult();
    const rows = changes(now, { ...now, signals: { ...now.signals, delivered: 24_000 } });
    expect(rows.find(({ metric }) => metric === 'delivered_per_s')).toMatchObject({
      ratio: 2,
      trend: 'better',
    });
  });

  test('leaves out what one of the two did not measure', () => {
    const { memory: _, ...without } = sampleResult();
    expect(changes(without, sampleResult()).map(({ metric }) => metric)).not.toContain(
      'bytes_per_connection',
    );
  });

  test('of two scenarios is refused', () => {
    expect(() => changes({ ...sampleResult(), scenario: 'idle' }, sampleResult())).toThrow(
      /"idle", and this run is of "storm"/,
    );
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { METRIC_NAMES, parseSlo } from '../../../../services/loadtest/load/report/index.ts';
import { isMet, measuredValue } from '../../../../services/loadtest/load/report/slo.ts';
import { sampleRun } from './sample-result.ts';

describe('an SLO', () => {
  test.each([
    ['relay_p99<80ms', 'relay_p99', '<', 80],
    ['relay_p999 < 0.5s', 'relay_p999', '<', 500],
    ['relay_local_p50<900us', 'relay_local_p50', '<', 0.9],
    ['join_p95<=200', 'join_p95', '<=', 200],
    ['resume_max<5s', 'resume_max', '<', 5_000],
    ['lost==0', 'lost', '==', 0],
    ['resyncs!=1', 'resyncs', '!=', 1],
    ['delivered_rate>=0.999', 'delivered_rate', '>=', 0.999],
    ['delivered_rate>=99.9%', 'delivered_rate', '>=', 0.999],
    ['delivered_per_s>150', 'delivered_per_s', '>', 150],
    ['bytes_per_connection<40KiB', 'bytes_per_connection', '<', 40_960],
    ['bytes_per_connection<1.5MiB', 'bytes_per_connection', '<', 1_572_864],
  ])('%s is read with its unit', (text, metric, operator, bound) => {
    expect(parseSlo(text)).toMatchObject({ metric, operator, bound });
  });

  test('reads the same again as it is shown', () => {
    const slo = parseSlo('  relay_p99  <  80ms ');
    expect(slo.text).toBe('relay_p99<80ms');
    expect(parseSlo(slo.text)).toEqual(slo);
  });

  test.each([
    ['relay_p97<80ms', /no metric "relay_p97"; known are relay, .*_p50 .* lost, doubled/],
    ['losses==0', /no metric "losses"/],
    ['constructor<1', /no metric "constructor"/],
    ['lost=0', /not a metric, one of <= >= == != < >, and a number/],
    ['lost==', /not a metric/],
    ['lost==-1', /not a metric/],
    ['', /not a metric/],
    ['relay_p99<8KiB', /"KiB" is no unit of this metric; use us, ms, s/],
    ['lost==0ms', /"ms" is no unit of this metric; give a plain number/],
    ['delivered_rate>1B', /use %/],
  ])('that is wrong, like %s, is refused with what is known', (text, message) => {
    expect(() => parseSlo(text)).toThrow(message);
  });

  test.each([
    ['lost<1', 0, true],
    ['lost<1', 1, false],
    ['lost<=1', 1, true],
    ['lost>1', 1, false],
    ['lost>=1', 1, true],
    ['lost==1', 1, true],
    ['lost!=1', 1, false],
    ['lost==0', null, false],
  ])('%s is, for %s, met: %s', (text, value, met) => {
    expect(isMet(parseSlo(text), value)).toBe(met);
  });
});

describe('the metrics', () => {
  test('are each measured by a run that has everything', () => {
    const run = sampleRun();
    const missing = METRIC_NAMES.filter(
      (name) => !name.startsWith('ack_') && measuredValue(name, run) === null,
    );
    expect(missing).toEqual([]);
  });

  test('are all in the documents', () => {
    const docs = readFileSync(new URL('../../../../docs/load-report.md', import.meta.url), 'utf8');
    const isTold = (name: string) =>
      docs.includes(`\`${name}\``) ||
      (docs.includes(`\`${name.replace(/_[a-z0-9]+$/, '')}\``) &&
        docs.includes(`\`${/_[a-z0-9]+$/.exec(name)?.[0]}\``));
    expect(METRIC_NAMES.filter((name) => !isTold(name))).toEqual([]);
  });

  test.each([
    ['lost', 0],
    ['refused', 4],
    ['connections_refused', 4],
    ['accepted_rate', 12_000 / 12_004],
    ['delivered_rate', 1],
    ['delivered_per_s', 200],
    ['connections_peak', 400],
    ['recovered_rate', 1],
    ['recovery_to99', 3_700],
    ['bytes_per_connection', 25_000],
    ['calls_connected_rate', 1],
    ['growing', 0],
    ['generator_loop_p99', 2.31],
    ['generator_late_rate', 3 / 12_500],
  ])('%s is %d in the sample', (metric, value) => {
    expect(measuredValue(metric, sampleRun())).toBeCloseTo(value, 9);
  });

  test('do not call nothing zero: of signals that were planned and never accepted none can be lost', () => {
    const run = sampleRun();
    const nothing = { ...run, signals: { ...run.signals, accepted: 0, expected: 0, delivered: 0 } };
    expect(measuredValue('lost', nothing)).toBeNull();
    expect(measuredValue('delivered_rate', nothing)).toBeNull();
    const idle = { ...nothing, signals: { ...nothing.signals, planned: 0, sent: 0 } };
    expect(measuredValue('lost', idle)).toBe(0);
  });
});

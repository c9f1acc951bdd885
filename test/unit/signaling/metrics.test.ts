import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { metricsDocument } from '../../../services/signaling/telemetry/document.ts';
import { openMetrics } from '../../../services/signaling/telemetry/metrics.ts';
import { capabilities } from '../../support/capabilities.ts';
import { seriesIn } from '../../support/exposition.ts';

const METRICS = openMetrics();
const TEXT = await METRICS.registry.metrics();

test('docs/metrics.md says what the catalogue says: npm run docs:generate', () => {
  const path = fileURLToPath(new URL('../../../docs/metrics.md', import.meta.url));
  expect(readFileSync(path, 'utf8')).toBe(metricsDocument());
});

test('every combination of labels is there at zero before anything happens', () => {
  const series = seriesIn(TEXT);
  const isConstant = (name: string) => /build_info|start_time/.test(name);
  for (const { name, type, labels } of METRICS.catalogue.entries.filter((entry) => !isConstant(entry.name))) {
    const shown = type === 'histogram' ? `${name}_count` : name;
    const combinations = Object.values(labels).reduce((count, values) => count * values.length, 1);
    const values = series.filter((each) => each.name === shown).map((each) => each.value);
    expect({ name, values }).toEqual({ name, values: Array(combinations).fill(0) });
  }
});

test('names end in a base unit, counters in _total, and gauges and histograms in neither _total nor _count', () => {
  for (const { name, type } of METRICS.catalogue.entries) {
    expect(name).toMatch(/^signaling_[a-z_]+$/);
    expect(name).not.toMatch(/_(ms|milliseconds|kb|mb|minutes|percent|count|sum|bucket)$/);
    expect({ name, isTotal: name.endsWith('_total') }).toEqual({ name, isTotal: type === 'counter' });
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  }
});

test.skipIf(!capabilities.promtool)('promtool finds nothing to say about them', () => {
  expect(execFileSync('promtool', ['check', 'metrics'], { input: TEXT, encoding: 'utf8' })).toBe('');
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  readEarlier,
  readResult,
  resultSchema,
  writeReports,
} from '../../../../services/loadtest/load/report/index.ts';
import { spectrum } from '../../../../services/loadtest/load/report/spectrum.ts';
import { PAGE_URL } from '../../../../services/web/report/index.ts';
import { latencyOf, sampleResult } from './sample-result.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fenghuo-load-report-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function fileOf(content: unknown): string {
  const path = join(dir, 'given.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('a result', () => {
  test('is read from its file as it was written', () => {
    const result = sampleResult();
    expect(readResult(fileOf(result))).toEqual(result);
  });

  test.each([
    ['no JSON', 'lost: 0', /given\.json is not JSON; give the result\.json of an earlier run/],
    ['something else', { schema: 'k6/1' }, /is no result of the load tester/],
    ['an array', [1], /is no result of the load tester/],
    [
      'of a newer schema',
      { ...sampleResult(), schema: 'fenghuo-load/2' },
      /"fenghuo-load\/2", and this version reads fenghuo-load\/1/,
    ],
    ['damaged', { ...sampleResult(), seed: 'x' }, /is a damaged result: seed: /],
  ])('that is %s is refused with what is wrong', (_, content, message) => {
    expect(() => readResult(fileOf(content))).toThrow(message);
  });

  test('with a histogram that cannot be read is refused before anything is made of it', () => {
    const result = sampleResult();
    const relay = { ...latencyOf(1, () => 1), hdr: 'HISTFAAAAB' };
    const path = fileOf({ ...result, latencies: { ...result.latencies, relay } });
    expect(() => readResult(path)).toThrow(
      /is a damaged result: latencies\.relay\.hdr is no histogram\. Give/,
    );
  });

  test('that is not there is refused by name', () => {
    expect(() => readResult(join(dir, 'absent.json'))).toThrow(/absent\.json cannot be read/);
  });

  test('of another scenario is not compared with', () => {
    const path = fileOf(sampleResult());
    expect(readEarlier(path, 'storm').scenario).toBe('storm');
    expect(() => readEarlier(path, 'calls')).toThrow(
      /is of the scenario "storm", and this run is of "calls"/,
    );
  });

  test.each([-1, 1.5, Number.NaN, '3'])('does not count %s signals', (lost) => {
    const result = sampleResult();
    expect(resultSchema.safeParse({ ...result, signals: { ...result.signals, lost } }).success).toBe(false);
  });
});

describe('the files of a run', () => {
  test('are the result, the summary, and the page where it is built', async () => {
    const result = sampleResult();
    const isBuilt = readIfThere(PAGE_URL) !== undefined;
    const out = join(dir, 'deep', 'out');
    const written = writeReports(result, out);
    if (isBuilt)
      expect(await written).toEqual(
        ['result.json', 'summary.md', 'report.html'].map((name) => join(out, name)),
      );
    else
      await expect(written).rejects.toThrow(
        /report\.html is not written: the page is not built; run "npm run build"/,
      );
    expect(readResult(join(out, 'result.json'))).toEqual(result);
    expect(readFileSync(join(out, 'summary.md'), 'utf8')).toContain('# Load test `storm`: PASS');
  });
});

describe('the spectrum of a latency', () => {
  test('says of each share what it stays at or below, up to the slowest', () => {
    let next = 0;
    const latency = latencyOf(1_000, () => ++next);
    const points = spectrum(latency);
    expect(points[0]).toEqual([0, 1]);
    expect(points.at(-1)?.[0]).toBeCloseTo(0.999, 9);
    const at90 = points.find(([share]) => Math.abs(share - 0.9) < 1e-9);
    expect(at90?.[1]).toBeCloseTo(900, -1);
    const histogram = decodeFromCompressedBase64(latency.hdr);
    for (const [share, ms] of points)
      expect(ms).toBe(Number((histogram.getValueAtPercentile(share * 100) / 1_000).toPrecision(9)));
    expect(points.map(([, ms]) => ms)).toEqual(points.map(([, ms]) => ms).sort((a, b) => a - b));
  });

  test('of nothing is empty', () => {
    expect(spectrum(latencyOf(0, () => 0))).toEqual([]);
  });
});

function readIfThere(url: URL): string | undefined {
  try {
    return readFileSync(url, 'utf8');
  } catch {
    return undefined;
  }
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { type Result, writeReports } from '../../../services/loadtest/load/report/index.ts';
import { type CallBrowser, LAPTOP, openBrowser, type Person, PHONE } from '../../support/browser.ts';
import { capabilities } from '../../support/capabilities.ts';
import { eventually } from '../../support/eventually.ts';
import { sampleResult } from '../../unit/loadtest/load-report/sample-result.ts';

const CHARTS = [
  'latency',
  'connections',
  'rates',
  'spectrum',
  'recovery',
  'lag',
  'server-signaling_connections',
  'server-nodejs_eventloop_lag_p99_seconds',
];

describe.skipIf(capabilities.chromium === false)('the report of a load test', () => {
  let browser: CallBrowser;
  let dir: string;
  const readers: Person[] = [];
  beforeAll(async () => {
    browser = await openBrowser();
    dir = mkdtempSync(join(tmpdir(), 'fenghuo-load-report-'));
  });
  afterAll(async () => {
    await browser?.close();
    if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
  });
  afterEach(async () => {
    // What the page's policy forbids would be among these.
    const faults = readers.splice(0).flatMap((reader) => reader.faults);
    await browser.closePages();
    expect(faults).toEqual([]);
  });

  /** Somebody who opens the report as the file that it is. */
  async function read(
    result: Result,
    { before, ...context }: BrowserContextOptions & { before?: Result } = {},
  ) {
    const files = await writeReports(result, dir, before);
    const page = files.find((file) => file.endsWith('.html'));
    const reader = await browser.open(pathToFileURL(page ?? '').href, {
      context: { viewport: LAPTOP, ...context },
    });
    readers.push(reader);
    await reader.by('report').waitFor();
    return reader;
  }

  test('says first what was lost, and whether that is what was asked', async () => {
    const result = sampleResult({ slos: ['lost==0', 'relay_region_p50<15ms'] });
    const reader = await read({ ...result, signals: { ...result.signals, lost: 3 } });
    expect(await reader.by('fault-lost').innerText()).toMatch(/^3\s+lost$/);
    expect(await reader.by('fault-misrouted').innerText()).toMatch(/^0\s+misrouted$/);
    expect(await reader.by('verdict').innerText()).toBe('Fail');
    const slos = await reader.by('slo').allInnerTexts();
    expect(slos.map((text) => text.replace(/\s+/g, ' '))).toEqual([
      '✓ lost==0 0 met',
      '✗ relay_region_p50<15ms 15.9 ms not met',
    ]);
  });

  test('draws every chart, and tells the same in a table', async () => {
    const reader = await read(sampleResult());
    for (const id of CHARTS) {
      const chart = reader.by(`chart-${id}`);
      await eventually(
        async () => expect(await chart.locator('canvas').evaluate(colouredPixels)).toBeGreaterThan(150),
        {
          timeoutMs: 5_000,
          everyMs: 100,
          what: `the chart ${id} is drawn`,
        },
      );
      await chart.getByText('As a table').press('Enter');
      expect(await chart.locator('tbody tr').count()).toBeGreaterThan(5);
    }
    expect(await reader.by('chart-latency').locator('thead').innerText()).toMatch(/Time\s+p50\s+p99\s+max/);
    expect(await reader.page.getByText('At 0 throughout: signaling_packets_waiting').count()).toBe(1);
    expect(await reader.by('heatmap').locator('td').count()).toBe(16);
    await reader.by('heatmap').getByRole('button', { name: 'p99' }).click();
    const near = await reader.by('heatmap').locator('td').first().innerText();
    expect(near).toMatch(/^[345]\.\d+ ms$/);
  });

  test('asks for nothing else', async () => {
    const reader = await read(sampleResult());
    const asked = await reader.page.evaluate(() =>
      performance.getEntriesByType('resource').map(({ name }) => name),
    );
    expect(asked).toEqual([]);
    const policy = await reader.page
      .locator('meta[http-equiv=Content-Security-Policy]')
      .getAttribute('content');
    expect(policy).toMatch(
      /^default-src 'none'; img-src data:; script-src 'sha256-\S+'; style-src 'sha256-\S+'( 'sha256-\S+')*; /,
    );
  });

  test('lays an earlier run over this one, with the ratios', async () => {
    const reader = await read(sampleResult(), { before: sampleResult({ slowness: 2, seed: 9 }) });
    const change = reader.by('changes').locator('tr', { hasText: 'relay_region_p50' });
    expect((await change.innerText()).replace(/\s+/g, ' ')).toMatch(
      /^relay_region_p50 3\S+ ms 15\.9 ms ×0\.5\d* better$/,
    );
    expect(await reader.by('chart-spectrum').innerText()).toContain('Dotted: the earlier run.');
    await reader.by('chart-spectrum').getByText('As a table').click();
    expect(await reader.by('chart-spectrum').locator('thead').innerText()).toContain('relay (before)');
  });

  test('has only what the run measured', async () => {
    const { heatmap: _, recovery: __, server: ___, calls: ____, ...rest } = sampleResult();
    const reader = await read({ ...rest, latencies: {}, signals: { ...rest.signals, planned: 0 } });
    expect(await reader.by('chart-connections').count()).toBe(1);
    for (const absent of [
      'heatmap',
      'chart-recovery',
      'chart-spectrum',
      'chart-rates',
      'latencies',
      'changes',
    ])
      expect(await reader.by(absent).count(), absent).toBe(0);
  });

  test('speaks Chinese', async () => {
    const reader = await read(sampleResult());
    await reader.by('language-zh').click();
    expect(await reader.by('fault-lost').innerText()).toMatch(/^0\s+丢失$/);
    expect(await reader.by('chart-latency').locator('figcaption').innerText()).toBe('转发延迟');
    expect(await reader.page.getAttribute('html', 'lang')).toBe('zh-Hans');
    expect(await reader.page.title()).toBe('压力测试：storm');
    const other = await read(sampleResult(), { locale: 'zh-CN' });
    expect(await other.by('verdict').innerText()).toBe('通过');
  });

  test('fits a phone', async () => {
    const reader = await read(sampleResult(), { before: sampleResult({ seed: 9 }), viewport: PHONE });
    expect(await reader.overflowPx()).toBe(0);
  });

  test('shows names from outside as they are, and runs nothing of them', async () => {
    const name = '</script><script>document.title="run"</script><img src=x onerror="document.title=1">';
    const reader = await read({ ...sampleResult(), phases: [{ name, fromS: 0, toS: 60 }] });
    expect(await reader.page.getByText(name).count()).toBe(1);
    expect(await reader.page.title()).toBe('Load test: storm');
  });
});

/** Runs in the page: how many pixels of a canvas are neither grey nor clear, as lines are and axes are not. */
function colouredPixels(canvas: Element): number {
  const { width, height } = canvas as HTMLCanvasElement;
  const pixels = (canvas as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height).data ?? [];
  let count = 0;
  for (let at = 0; at < pixels.length; at += 4) {
    const [red = 0, green = 0, blue = 0, alpha = 0] = pixels.slice(at, at + 4);
    if (alpha > 150 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) count++;
  }
  return count;
}

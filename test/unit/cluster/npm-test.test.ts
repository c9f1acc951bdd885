import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { missingParts } from '../../support/missing.ts';
import { countResults } from '../../support/results.ts';

const everything = {
  redisServer: true,
  chromium: '/usr/bin/chromium',
  turnserver: true,
  pythonSocketio: '/usr/bin/python3',
  promtool: true,
  kubectl: true,
  docker: true,
} as const;

describe('what npm test says could not run', () => {
  test('is nothing on a machine that has everything', () => {
    expect(missingParts(everything, { source: 'testcontainers' })).toEqual([]);
  });

  test('is each part with its reason, and forgiven in CI only where a Docker engine or kubectl is what lacks', () => {
    const missing = missingParts(
      { ...everything, chromium: false, docker: false, kubectl: false },
      { source: 'redis-server' },
    );
    expect(missing).toEqual([
      { what: 'calls in real browsers', why: 'no chromium', isAllowed: false },
      {
        what: 'the manifests for Kubernetes',
        why: 'no kubectl of 1.27 or newer (kubernetes.io/docs/tasks/tools)',
        isAllowed: true,
      },
      { what: 'Redis from testcontainers', why: 'no Docker engine answers', isAllowed: true },
      { what: 'the image, and docker compose', why: 'no Docker engine answers', isAllowed: true },
    ]);
  });

  test('includes an engine that answers but has no image', () => {
    const missing = missingParts(everything, { source: 'redis-server', reason: 'no such image' });
    expect(missing).toEqual([{ what: 'Redis from testcontainers', why: 'no such image', isAllowed: true }]);
  });
});

describe('the last line of npm test', () => {
  const tests = (isOk: boolean) => ({ name: 'tests', isOk });

  test('counts a file that does not load, and lint, as a failure each', () => {
    const report = reportOf([{ status: 'failed', assertionResults: [] }]);
    const counts = countResults(report, [{ name: 'lint', isOk: false }, tests(false)]);
    expect(counts).toEqual({ passed: 3, failed: 2, skipped: 1 });
  });

  test('never says "0 failed" of a run that failed outside every test, or made no report', () => {
    expect(countResults(reportOf([]), [tests(false)]).failed).toBe(1);
    expect(countResults('/nonexistent/report.json', [tests(false)])).toEqual({
      passed: 0,
      failed: 1,
      skipped: 0,
    });
    expect(countResults(reportOf([]), [tests(true)])).toEqual({ passed: 3, failed: 0, skipped: 1 });
  });
});

function reportOf(testResults: { status: string; assertionResults: { status: string }[] }[]): string {
  const dir = mkdtempSync(join(tmpdir(), 'fenghuo-report-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'vitest.json');
  const counts = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 1, numTodoTests: 0 };
  writeFileSync(path, JSON.stringify({ ...counts, testResults }));
  return path;
}

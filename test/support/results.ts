import { existsSync, readFileSync } from 'node:fs';

export interface Results {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What is read of vitest's JSON report. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * Counts the tests of a run. A file that could not even be loaded, and a part that failed without a failed test (lint,
 * types, an error outside every test), count as one failure each: a run with a fault never ends with "0 failed".
 */
export function countResults(reportPath: string, parts: readonly { name: string; isOk: boolean }[]): Results {
  const report = existsSync(reportPath)
    ? (JSON.parse(readFileSync(reportPath, 'utf8')) as Report)
    : undefined;
  const brokenFiles = (report?.testResults ?? []).filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const failedTests = (report?.numFailedTests ?? 0) + brokenFiles.length;
  const failedParts = parts.filter((part) => !part.isOk && (part.name !== 'tests' || failedTests === 0));
  return {
    passed: report?.numPassedTests ?? 0,
    failed: failedTests + failedParts.length,
    skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
  };
}

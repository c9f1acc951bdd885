import { type RunOptions, reportText, run, type ScenarioName } from '@fenghuo/loadtest';
import { describe, expect, test } from 'vitest';

import { capabilities } from '../support/capabilities.ts';

/** How fast it is depends on what else runs here; how right it is does not. */
const SLOW_MS = 8_000;

/** `npm run chaos`, short: the same runs and the same verdict. `seconds` of traffic; longer where the faults need it. */
const RUNS: readonly { scenario: ScenarioName; seconds: number; limits?: RunOptions['limits'] }[] = [
  { scenario: 'kill', seconds: 20, limits: { resumeP99MsMax: SLOW_MS } },
  { scenario: 'hang', seconds: 16 },
  { scenario: 'roll', seconds: 12, limits: { gapP99MsMax: SLOW_MS } },
  { scenario: 'blackhole', seconds: 16 },
  { scenario: 'redis-pause', seconds: 12 },
  { scenario: 'redis-empty', seconds: 10 },
  { scenario: 'sentinel', seconds: 12 },
  { scenario: 'together', seconds: 8 },
];

describe.skipIf(!capabilities.redisServer)('nothing is lost, doubled, reordered or misrouted:', () => {
  test.each(RUNS)('$scenario', async ({ scenario, seconds, limits }) => {
    const report = await run({
      scenario,
      seed: 7,
      durationMs: seconds * 1_000,
      rate: 100,
      pairs: 10,
      nodes: 3,
      resumeWindowMs: 30_000,
      ...(limits === undefined ? {} : { limits }),
    });
    expect(report.verdict.reasons, reportText(report)).toEqual([]);
  });
});

import { defineConfig } from 'vitest/config';

import { LongestFirst } from './test/support/longest-first.ts';

const SLOW = ['test/e2e/**/*.test.ts', 'test/chaos/**/*.test.ts', 'test/deploy/{compose,image}.test.ts'];
const LONG = ['test/long/**/*.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    globalSetup: ['test/support/global-setup.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...SLOW, ...LONG],
          // They wait more than they work.
          maxWorkers: 5,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          // Browsers and killed nodes: each needs a core, or its timings would measure the neighbours.
          name: 'slow',
          include: SLOW,
          testTimeout: 120_000,
          maxWorkers: 2,
          globalSetup: ['test/support/page-setup.ts'],
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          // `npm run test:long`: minutes of load and faults, where `npm test` has seconds.
          name: 'long',
          include: LONG,
          testTimeout: 120_000,
          maxWorkers: 2,
          globalSetup: ['test/support/page-setup.ts'],
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});

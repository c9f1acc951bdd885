import { defineConfig } from 'vitest/config';

const SLOW = ['test/e2e/**/*.test.ts', 'test/chaos/**/*.test.ts', 'test/deploy/{compose,image}.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    globalSetup: ['test/support/global-setup.ts'],
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...SLOW],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          // Browsers and killed nodes need the machine for themselves: timings would measure the neighbours.
          name: 'slow',
          include: SLOW,
          testTimeout: 120_000,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

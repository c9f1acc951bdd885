import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, so that no worker is left with one of them at the end. */
const LONGEST = [
  'deploy/compose',
  'browser/moderation',
  'browser/console',
  'chaos/node-death',
  'browser/call-outlives',
  'contract/redis-cluster',
  'integration/drain',
  'browser/room-of-four',
  'integration/admin',
  'integration/resume',
  'contract/memory',
  'integration/tokens',
  'integration/npm-start',
  'chaos/redis-restart',
  'browser/page',
  'integration/webhooks',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONGEST.findIndex((name) => moduleId.includes(`/${name}.test.ts`));
  return rank < 0 ? LONGEST.length : rank;
}

import { expect, test } from 'vitest';
import type { Journal, JournalDraft } from '../../../services/signaling/backplane/journal.ts';
import { ok, refuse } from '../../../services/signaling/domain/result.ts';
import { openJournalWriter } from '../../../services/signaling/journal-writer.ts';

function writing() {
  const written: JournalDraft[] = [];
  const state = { isAway: false };
  const journal: Journal = {
    write: async (entry) => {
      if (state.isAway) return refuse('unavailable');
      written.push(entry);
      return ok(undefined);
    },
    readAfter: async () => refuse('unavailable'),
  };
  const writer = openJournalWriter(journal, 'beijing-1', () => new Date(0));
  return { written, state, writer };
}

test('a fact is written at once, with its node and time', async () => {
  const { written, writer } = writing();
  writer.note({ event: 'node_started', version: '1' });
  await writer.flush();
  expect(written).toEqual([
    { event: 'node_started', version: '1', at: '1970-01-01T00:00:00.000Z', node: 'beijing-1' },
  ]);
});

test('what the backplane does not take waits in its order, and of very much the newest', async () => {
  const { written, state, writer } = writing();
  state.isAway = true;
  for (let n = 0; n < 250; n++) writer.note({ event: 'audit', n });
  await writer.flush();
  state.isAway = false;
  await writer.flush();
  expect(written.map(({ n }) => n)).toEqual(Array.from({ length: 100 }, (_, at) => 150 + at));
});

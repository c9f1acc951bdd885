import { ok } from '../../domain/result.ts';
import { JOURNAL_ENTRIES_MAX, type Journal } from '../journal.ts';
import type { SharedMemory } from './shared-memory.ts';

export function memoryJournal({ journal }: SharedMemory): Journal {
  return {
    async write(entry) {
      const [ms = 0, at = 0] = (journal.at(-1)?.id ?? '0-0').split('-').map(Number);
      const nowMs = Math.max(ms, Date.now());
      journal.push({ ...entry, id: `${nowMs}-${nowMs === ms ? at + 1 : 0}` });
      if (journal.length > JOURNAL_ENTRIES_MAX) journal.shift();
      return ok(undefined);
    },

    async readAfter(id, limit) {
      if (id === undefined) return ok(journal.slice(-limit));
      return ok(journal.filter((entry) => isAfter(entry.id, id)).slice(0, limit));
    },
  };
}

function isAfter(id: string, other: string): boolean {
  const [ms = 0, at = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherAt = 0] = other.split('-').map(Number);
  return ms === otherMs ? at > otherAt : ms > otherMs;
}

import { ok, refuse } from '../../domain/result.ts';
import { type Fact, JOURNAL_ENTRIES_MAX, type Journal, type JournalEntry } from '../journal.ts';
import { withDeadline } from './commands.ts';
import type { Client } from './connect.ts';
import type { Keys } from './keys.ts';

const COMMAND_TIMEOUT_MS = 600;

/** One stream of the home; its ids are the server's time, so they rise even where the stream was lost. */
export function redisJournal(client: Client, keys: Keys): Journal {
  async function within<Value>(command: () => Promise<Value>) {
    try {
      return ok(await withDeadline(command(), COMMAND_TIMEOUT_MS));
    } catch {
      return refuse('unavailable');
    }
  }
  const read = (id: string | undefined, limit: number) =>
    id === undefined
      ? client.xrevrange(keys.journal, '+', '-', 'COUNT', limit).then((newest) => newest.reverse())
      : client.xrange(keys.journal, `(${id}`, '+', 'COUNT', limit);
  return {
    async write(entry) {
      const written = await within(() =>
        client.xadd(keys.journal, 'MAXLEN', '=', JOURNAL_ENTRIES_MAX, '*', 'e', JSON.stringify(entry)),
      );
      return written.ok ? ok(undefined) : written;
    },

    async readAfter(id, limit) {
      const entries = await within(() => read(id, limit));
      if (!entries.ok) return entries;
      return ok(entries.value.flatMap(([at, [, text = '']]) => parseEntry(at, text)));
    },
  };
}

/** None where another version wrote what this one cannot read. */
function parseEntry(id: string, text: string): JournalEntry[] {
  try {
    return [{ ...(JSON.parse(text) as Fact & { at: string; node: string }), id }];
  } catch {
    return [];
  }
}

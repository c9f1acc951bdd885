import { ok, refuse } from '../../domain/result.ts';
import { type Fact, JOURNAL_ENTRIES_MAX, type Journal, type JournalEntry } from '../journal.ts';
import type { OnMalformed } from '../malformed.ts';
import { withDeadline } from './commands.ts';
import type { Client } from './connect.ts';
import type { Keys } from './keys.ts';
import type { Mend } from './mend.ts';

const COMMAND_TIMEOUT_MS = 600;
/** In so many pages is the whole journal. */
const PAGES_MAX = 16;

/** One stream of the home; its ids are the server's time, so they rise even where the stream was lost. */
export function redisJournal(client: Client, keys: Keys, onMalformed: OnMalformed, mend: Mend): Journal {
  async function within<Value>(command: () => Promise<Value>) {
    try {
      return ok(await withDeadline(command(), COMMAND_TIMEOUT_MS));
    } catch (error) {
      mend([keys.journal], error as Error);
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
      // Whoever goes on behind what it got must not stay before a page of which nothing can be read.
      for (let after = id, pages = 1; ; pages++) {
        const entries = await within(() => read(after, limit));
        if (!entries.ok) return entries;
        const parsed = entries.value.map(([at, [, text = '']]) => parseEntry(at, text));
        const readable = parsed.filter((entry) => entry !== undefined);
        for (let n = readable.length; n < parsed.length; n++) onMalformed('journal');
        const isAll = id === undefined || parsed.length < limit || pages === PAGES_MAX;
        if (readable.length > 0 || isAll) return ok(readable);
        after = entries.value.at(-1)?.[0];
      }
    },
  };
}

/** Undefined where another version wrote what this one cannot read. */
function parseEntry(id: string, text: string): JournalEntry | undefined {
  try {
    const entry = JSON.parse(text) as Fact & { at: string; node: string };
    const isNamed = [entry.event, entry.at, entry.node].every((each) => typeof each === 'string');
    const isFlat = Object.values(entry).every((each) => FLAT.includes(typeof each));
    return isNamed && isFlat ? { ...entry, id } : undefined;
  } catch {
    return undefined;
  }
}

const FLAT: readonly string[] = ['string', 'number', 'boolean'];

import type { Fact, Journal, JournalDraft } from './backplane/journal.ts';

export interface JournalWriter {
  /** Tells the cluster's journal; a fact that the backplane does not take now waits its turn. */
  note(fact: Fact): void;
  /** Writes what waits, as far as the backplane takes it. To be called now and then, and at the end. */
  flush(): Promise<void>;
}

/** While the backplane is away: of more, the newest. */
const WAITING_MAX = 100;

export function openJournalWriter(journal: Journal, node: string, now: () => Date): JournalWriter {
  const waiting: JournalDraft[] = [];
  let flushing: Promise<void> | undefined;

  async function write(): Promise<void> {
    for (let [entry] = waiting; entry !== undefined; [entry] = waiting) {
      if (!(await journal.write(entry)).ok) return;
      if (waiting[0] === entry) waiting.shift();
    }
  }

  function flush(): Promise<void> {
    flushing ??= write().finally(() => {
      flushing = undefined;
    });
    return flushing;
  }

  return {
    note(fact) {
      waiting.push({ ...fact, at: now().toISOString(), node });
      if (waiting.length > WAITING_MAX) waiting.shift();
      void flush();
    },
    flush,
  };
}

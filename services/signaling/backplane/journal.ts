import type { Result } from '../domain/result.ts';

/** A fact that operators are told of: flat, without secrets and without what people say. */
export type Fact = { readonly event: string } & Readonly<Record<string, string | number | boolean>>;

/** `at` is the writing node's clock, in ISO 8601. */
export type JournalDraft = Fact & { readonly at: string; readonly node: string };
/** `id` rises. */
export type JournalEntry = JournalDraft & { readonly id: string };

/** The newest facts of the cluster, a bounded number of them. Calls never reject. */
export interface Journal {
  write(entry: JournalDraft): Promise<Result<void, 'unavailable'>>;
  /** The oldest first: what came after an entry, of that the oldest; without one, the newest. */
  readAfter(id: string | undefined, limit: number): Promise<Result<readonly JournalEntry[], 'unavailable'>>;
}

/** Of an entry; the first that ever was is greater than 0-0. */
export const ENTRY_ID = /^\d{1,15}-\d{1,15}$/;
export const JOURNAL_ENTRIES_MAX = 1_000;

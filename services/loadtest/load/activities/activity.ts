import type { Agenda } from '../agenda.ts';
import type { Field } from '../field.ts';
import type { Standing } from '../standing.ts';

export interface Stage {
  readonly field: Field;
  readonly standing: Standing;
  readonly agenda: Agenda;
  /** When it begins, by the clock of `performance.now`. */
  readonly startMs: number;
}

/** What a worker does once its clients are there, all of it by a schedule that was fixed before. */
export interface Activity {
  /** Signals that rate and time have asked for until now. */
  readonly planned: number;
  readonly calls?: CallSums;
  /** Nothing of it is under way any more: what is begun after `end` is nothing. */
  readonly isDone: boolean;
  /** Brings what is under way to its end. */
  end(): void;
}

export interface CallSums {
  started: number;
  connected: number;
  failed: number;
  hungUp: number;
}

/** What honest people met in one part of a drill. */
export class Measures {
  /** From sending until the other one's handler, in milliseconds. */
  readonly relayMs: number[] = [];
  /** From the first packet of a newcomer until its join was answered. */
  readonly joinMs: number[] = [];
  /** Requests and handshakes that were refused, cut off, or not answered in time, by code. */
  readonly refused: Record<string, number> = {};

  refuse(code: string): void {
    this.refused[code] = (this.refused[code] ?? 0) + 1;
  }

  get refusals(): number {
    return Object.values(this.refused).reduce((sum, each) => sum + each, 0);
  }
}

export const PHASES = ['warm-up', 'calm', 'attacked', 'after'] as const;
export type Phase = (typeof PHASES)[number];

/** Each part's own measures; what is sent counts where it was sent. */
export class Phases {
  current: Phase = 'warm-up';
  readonly #measures = new Map(PHASES.map((phase) => [phase, new Measures()]));

  get now(): Measures {
    return this.of(this.current);
  }

  of(phase: Phase): Measures {
    return this.#measures.get(phase) as Measures;
  }
}

/** Undefined where there are no values. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

import { availableParallelism, cpus, loadavg } from 'node:os';

import type { Contestant } from './contestants/index.ts';
import type { Outcome, PartName } from './parts.ts';
import { median, RATIOS, type Ratio } from './ratios.ts';

/** What a run found, as it stands in bench.json. */
export interface Result {
  readonly startedAt: string;
  readonly tookS: number;
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly windowMs: number;
  readonly machine: {
    readonly cpu: string;
    readonly cpus: number;
    readonly node: string;
    /** Of the last minute, before the run: what else the machine was doing. */
    readonly loadBefore: number;
  };
  readonly rows: readonly Row[];
  readonly ratios: readonly MeasuredRatio[];
}

export interface Row {
  readonly name: string;
  readonly title: string;
  readonly promises: string;
  /** Of messages, over all rounds: a row with one is void. */
  readonly faults: readonly string[];
  /** Each figure's value in the rounds that have it. */
  readonly figures: Readonly<Record<string, Spread>>;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly values: readonly number[];
}

export interface MeasuredRatio extends Omit<Ratio, 'of'> {
  /** Undefined where one of the two was not measured, or is void. */
  readonly spread: Spread | undefined;
  /** What it would be if `ws-log` were in Fenghuo's place: the least that anything of these parts could come to. */
  readonly floor: Spread | undefined;
}

/** What one contestant's rounds came to. */
export interface Account {
  readonly contestant: Contestant;
  readonly rounds: Map<PartName, Outcome>[];
  /** Why it could not be measured. */
  readonly failures: string[];
}

export function resultOf(
  accounts: readonly Account[],
  run: Pick<Result, 'isQuick' | 'rounds' | 'windowMs'> & { startedAt: Date; loadBefore: number },
): Result {
  const rows = accounts.map(rowOf);
  return {
    ...run,
    startedAt: run.startedAt.toISOString(),
    tookS: Math.round((Date.now() - run.startedAt.getTime()) / 1_000),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cpus: availableParallelism(),
      node: process.version,
      loadBefore: run.loadBefore,
    },
    rows,
    ratios: RATIOS.map(({ of, ...ratio }) => ({
      ...ratio,
      spread: ratioOver(accounts, 'fenghuo', { of, ...ratio }),
      floor: ratio.against === 'fenghuo' ? undefined : ratioOver(accounts, 'ws-log', { of, ...ratio }),
    })),
  };
}

export function loadNow(): number {
  return loadavg()[0] ?? 0;
}

function rowOf({ contestant, rounds, failures }: Account): Row {
  const outcomes = rounds.flatMap((parts) => [...parts.values()]);
  const names = new Set(outcomes.flatMap(({ figures }) => Object.keys(figures)));
  return {
    name: contestant.name,
    title: contestant.title,
    promises: contestant.promises,
    faults: [...failures, ...outcomes.flatMap(({ faults }) => faults)],
    figures: Object.fromEntries(
      [...names].map((name) => [name, spreadOf(outcomes.flatMap(({ figures }) => figures[name] ?? []))]),
    ),
  };
}

/** Both of a ratio come from the same round, minutes apart at most: the machine is the same for both. */
function ratioOver(accounts: readonly Account[], name: string, ratio: Ratio): Spread | undefined {
  const ours = accounts.find(({ contestant }) => contestant.name === name);
  const theirs = accounts.find(({ contestant }) => contestant.name === ratio.against);
  if (ours === undefined || theirs === undefined || isVoid(ours) || isVoid(theirs)) return undefined;
  const values = ours.rounds.flatMap((parts, round) => {
    const value = ratio.of(figuresOf(parts), figuresOf(theirs.rounds[round]));
    return Number.isFinite(value) ? [value] : [];
  });
  return values.length === 0 ? undefined : spreadOf(values);
}

export function isVoid({ rounds, failures }: Account): boolean {
  return (
    failures.length > 0 || rounds.some((parts) => [...parts.values()].some(({ faults }) => faults.length > 0))
  );
}

function figuresOf(parts: Map<PartName, Outcome> | undefined): Record<string, number> {
  return Object.assign({}, ...[...(parts?.values() ?? [])].map(({ figures }) => figures));
}

function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), values };
}

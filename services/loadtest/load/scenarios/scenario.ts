import type { AdminApi } from '../admin-api.ts';
import type { FlagName } from '../flags.ts';
import type { MetricsSource } from '../measures/scraper.ts';
import type { LoadOptions } from '../options.ts';
import type { Activity, Target } from '../plan.ts';
import type { Unjudged } from '../report/index.ts';

/** What a scenario is where the command line says nothing else. */
export interface Defaults {
  /** Signals a second. */
  readonly rate: number;
  readonly durationS: number;
  /** People in all; none where everybody comes and goes with a call. */
  readonly connections: number;
  readonly peers: number;
  readonly rampPerS: number;
}

/** What a scenario may do while the clients are at work. */
export interface Conductor {
  readonly options: LoadOptions;
  /** Seconds since the clients began. */
  readonly elapsedS: number;
  /** Undefined without --admin-token-file. */
  readonly admin: AdminApi | undefined;
  /** Aborted by Ctrl-C: the run ends, with its report. */
  readonly signal: AbortSignal;
  /** Marks where a part of the run begins, in the plots too. */
  phase(name: string): void;
  say(line: string): void;
  /** Resolves at so many seconds after the clients began; or, having been called off, at once. */
  until(atS: number): Promise<void>;
  /** Cuts off a share of the clients, all at once, and resolves once 99 % of them are back, or have had the time. */
  drop(share: number, withinS: number): Promise<void>;
}

/** A cluster that a scenario starts on this machine, and does to it what is not done to others'. */
export interface OwnCluster {
  readonly targets: readonly Target[];
  readonly metrics: readonly MetricsSource[];
  conduct(run: Conductor): Promise<void>;
  stop(): Promise<void>;
}

export interface Scenario {
  readonly name: string;
  /** In one line. */
  readonly text: string;
  /** What it does and what it finds, for its own help. */
  readonly help: string;
  readonly activity: Activity;
  readonly defaults: Defaults;
  /** Options that mean something here and not everywhere. */
  readonly flags: readonly FlagName[];
  /** Its rooms may span several workers. */
  readonly mayBeAcross: boolean;
  /** Its parts take so many workers. */
  readonly workersMin?: number;
  /** It takes as long as the cluster does: there is load until it ends. */
  readonly isOpenEnded?: true;
  /** What is asked of a run where the command line asks nothing. */
  readonly slos?: readonly string[];
  /** What it lacks, in the words of the command line. */
  lacks?(options: LoadOptions): string[];
  /** Starts a cluster of its own, in place of others' targets; its `conduct` counts then. */
  start?(options: LoadOptions): Promise<OwnCluster>;
  /** Runs while the clients are at work. Most only wait. */
  conduct(run: Conductor): Promise<void>;
  /** What the run measured beyond what all do. */
  measured?(result: Unjudged): Partial<Unjudged>;
}

export async function steady(run: Conductor): Promise<void> {
  run.phase('steady');
  await run.until(run.options.durationS);
}

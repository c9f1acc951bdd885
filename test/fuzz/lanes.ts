import { setTimeout as sleep } from 'node:timers/promises';

import { type Played, play } from './play.ts';
import type { ClusterName, Script } from './steps.ts';
import type { Target } from './target.ts';

/** A connection that is open, or closed within the last seconds. When a node dies, one of them is guilty. */
interface Suspect {
  readonly script: Script;
  readonly played: Played;
}

/** How long after its end a connection may still be what a node dies of. */
const SUSPECT_MS = 2_500;

/** Counts and findings of all lanes. */
export interface Traffic {
  connections: number;
  packets: number;
  /** Findings about single connections, each kind once, with the script. */
  readonly findings: { readonly what: string; readonly script: Script }[];
  /** The suspects of a cluster, cut to the steps that they have done. The most recently active comes first. */
  suspects(cluster: ClusterName): readonly Script[];
}

export interface LanesOptions {
  readonly targets: readonly Target[];
  readonly atOnce: number;
  /** The next script; undefined: there is none any more. */
  next(): Script | undefined;
  /** At which a script may begin at the earliest, in milliseconds from now. */
  waitMs(script: Script): number;
  readonly signal: AbortSignal;
}

/** Plays scripts, several at the same time, until there are none or the run is called off. */
export async function driveLanes(options: LanesOptions, traffic: Traffic & Keeper): Promise<void> {
  const lane = async () => {
    for (;;) {
      const script = options.signal.aborted ? undefined : options.next();
      if (script === undefined) return;
      const waitMs = options.waitMs(script);
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: options.signal }).catch(() => {});
      if (options.signal.aborted) return;
      await traffic.play(script, targetOf(options.targets, script));
    }
  };
  await Promise.all(Array.from({ length: options.atOnce }, lane));
}

export function targetOf(targets: readonly Target[], script: Script): Target {
  return targets.find(({ name }) => name === script.cluster) as Target;
}

interface Keeper {
  play(script: Script, target: Target): Promise<void>;
}

const FINDINGS_MAX = 30;

export function newTraffic(): Traffic & Keeper {
  const suspects = new Set<Suspect>();
  const findings: Traffic['findings'] = [];
  const traffic: Traffic & Keeper = {
    connections: 0,
    packets: 0,
    findings,
    suspects(cluster) {
      return [...suspects]
        .filter(({ script }) => script.cluster === cluster)
        .toSorted((a, b) => b.played.lastMs - a.played.lastMs)
        .map(({ script, played }) => ({ ...script, steps: script.steps.slice(0, played.steps) }));
    },
    async play(script, target) {
      const { played, ended } = play(script, target);
      const suspect = { script, played };
      suspects.add(suspect);
      await ended;
      setTimeout(() => suspects.delete(suspect), SUSPECT_MS).unref();
      traffic.connections += 1;
      traffic.packets += played.packets;
      for (const what of played.findings) {
        const isNew = findings.every((each) => kindOf(each.what) !== kindOf(what));
        if (isNew && findings.length < FINDINGS_MAX) findings.push({ what, script });
      }
    },
  };
  return traffic;
}

/** Without what differs from one time to the next. */
export function kindOf(what: string): string {
  return what
    .replace(/[[{].*/s, '')
    .replace(/\d+/g, 'n')
    .slice(0, 100);
}

import { setTimeout as sleep } from 'node:timers/promises';

import { StartFailure } from '@fenghuo/cluster';

import { type Played, play } from './play.ts';
import type { Script, Step } from './steps.ts';
import { startTarget, type Target, type TargetOptions } from './target.ts';

/** Says whether the sought event has happened after some scripts. */
export type Happened = (target: Target, played: readonly Played[]) => Promise<boolean>;

/** A node dies within this time after the last step. */
const DIES_WITHIN_MS = 600;

export const nodeDied: Happened = async ({ crashes }) => {
  const deadline = performance.now() + DIES_WITHIN_MS;
  while (crashes.length === 0 && performance.now() < deadline) await sleep(20);
  return crashes.length > 0;
};

/** Looks for the least that makes something happen, on clusters of its own, until nothing can be taken away or time is over. */
export class Shrinker {
  readonly #options: TargetOptions;
  readonly #happened: Happened;
  readonly #deadlineMs: number;
  #target: Target | undefined;

  constructor(options: TargetOptions, happened: Happened, withinMs: number) {
    this.#options = options;
    this.#happened = happened;
    this.#deadlineMs = performance.now() + withinMs;
  }

  /** Of several lists of suspects, the likeliest first. Undefined: it does not happen when the same is done again. */
  async shrink(...lists: readonly (readonly Script[])[]): Promise<readonly Script[] | undefined> {
    try {
      let suspects: readonly Script[] | undefined;
      for (const list of lists) if (suspects === undefined && (await this.#does(list))) suspects = list;
      if (suspects === undefined) return undefined;
      const scripts = await this.#fewest(suspects, (some) => this.#does(some));
      const result: Script[] = [];
      for (const [index, script] of scripts.entries()) {
        const others = [...result, ...scripts.slice(index + 1)];
        const flat = flattened(script);
        const base = (await this.#does([...others, flat])) ? flat : script;
        const steps = await this.#fewest(base.steps, (some) =>
          this.#does([...others, { ...base, steps: some }]),
        );
        result.push({ ...base, steps });
      }
      return result;
    } catch (error) {
      // A machine that is busy may not start a node in time; what was found is worth telling all the same.
      if (error instanceof StartFailure) return undefined;
      throw error;
    } finally {
      await this.#target?.stop();
    }
  }

  /** Takes away halves, quarters and so on for as long as it still holds (delta debugging, Zeller 1999). */
  async #fewest<Item>(
    items: readonly Item[],
    holds: (some: readonly Item[]) => Promise<boolean>,
  ): Promise<readonly Item[]> {
    let left = items;
    for (
      let size = Math.ceil(left.length / 2);
      size >= 1 && !this.#isLate;
      size = size === 1 ? 0 : Math.ceil(size / 2)
    ) {
      for (let at = 0; at < left.length && !this.#isLate; ) {
        const some = [...left.slice(0, at), ...left.slice(at + size)];
        if (await holds(some)) left = some;
        else at += size;
      }
    }
    return left;
  }

  get #isLate(): boolean {
    return performance.now() > this.#deadlineMs;
  }

  async #does(scripts: readonly Script[]): Promise<boolean> {
    const [first] = scripts;
    if (first === undefined || this.#isLate) return false;
    this.#target ??= await startTarget(first.cluster, this.#options);
    const target = this.#target;
    const plays = scripts.map((script) => play(script, target));
    const over = Promise.all(plays.map(({ ended }) => ended)).then(() => true);
    while (target.crashes.length === 0 && !(await Promise.race([over, sleep(20, false)])));
    const hasHappened = await this.#happened(
      target,
      plays.map(({ played }) => played),
    );
    if (target.crashes.length > 0) {
      this.#target = undefined;
      await target.stop();
    }
    return hasHappened;
  }
}

/** Each step of a burst a step of its own, where that does the same. */
function flattened(script: Script): Script {
  const steps = script.steps.flatMap((step): readonly Step[] => (step.do === 'burst' ? step.steps : [step]));
  return { ...script, steps };
}

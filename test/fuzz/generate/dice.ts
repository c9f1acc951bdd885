import { pick, type Random } from '../../../services/loadtest/random.ts';

/** Numbers for one connection of a run: the same for the same seed and index. */
export function seedOf(seed: number, index: number): number {
  return Math.imul((seed ^ Math.imul(index + 1, 0x9e_37_79_b1)) >>> 0, 0x85_eb_ca_6b) >>> 0;
}

/** A whole number from 0 up to, and not including, `below`. */
export function whole(random: Random, below: number): number {
  return Math.floor(random() * below);
}

export function chance(random: Random, share: number): boolean {
  return random() < share;
}

export interface Weighted<Value> {
  readonly weight: number;
  readonly value: Value;
}

/** One of a list that is not empty, the heavier the likelier. */
export function pickWeighted<Value>(random: Random, list: readonly Weighted<Value>[]): Value {
  let left = random() * list.reduce((sum, { weight }) => sum + weight, 0);
  for (const { weight, value } of list) {
    left -= weight;
    if (left < 0) return value;
  }
  return (list.at(-1) as Weighted<Value>).value;
}

/** Puts another number into a reference such as «jwt:good:1», so that one entry of a corpus stands for many. */
export function renumbered(random: Random, text: string): string {
  return text.replace(
    /«(jwt:\w+|peer|resume|incarnation):\d+»/g,
    (_, name) => `«${name}:${whole(random, 64)}»`,
  );
}

export { pick, type Random };

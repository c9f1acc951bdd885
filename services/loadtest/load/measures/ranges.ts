/** Numbers, kept as ranges: what comes in order takes no more room than its ends. */
export class Ranges {
  /** First and last of each range, rising, with gaps between. */
  readonly #ends: number[] = [];

  /** False where it was there before. */
  add(n: number): boolean {
    const ends = this.#ends;
    // The usual case first: the next number.
    if (ends.length > 0 && n === (ends.at(-1) as number) + 1) {
      ends[ends.length - 1] = n;
      return true;
    }
    let index = ends.length;
    while (index > 0 && (ends[index - 2] as number) > n) index -= 2;
    // The range before may hold it or end beside it, the one behind may begin beside it.
    if (index > 0 && n <= (ends[index - 1] as number)) return false;
    const isBehind = index > 0 && (ends[index - 1] as number) === n - 1;
    const isBefore = index < ends.length && (ends[index] as number) === n + 1;
    if (isBehind && isBefore) ends.splice(index - 1, 2);
    else if (isBehind) ends[index - 1] = n;
    else if (isBefore) ends[index] = n;
    else ends.splice(index, 0, n, n);
    return true;
  }

  get highest(): number {
    return this.#ends.at(-1) ?? -1;
  }

  get list(): readonly number[] {
    return this.#ends;
  }
}

/** How many numbers there are in ranges. */
export function countOf(ends: readonly number[]): number {
  let count = 0;
  for (let index = 0; index < ends.length; index += 2)
    count += (ends[index + 1] as number) - (ends[index] as number) + 1;
  return count;
}

/** How many numbers are in both. */
export function countOfBoth(one: readonly number[], other: readonly number[]): number {
  let count = 0;
  for (let a = 0, b = 0; a < one.length && b < other.length; ) {
    const [oneFirst, oneLast] = [one[a] as number, one[a + 1] as number];
    const [otherFirst, otherLast] = [other[b] as number, other[b + 1] as number];
    count += Math.max(0, Math.min(oneLast, otherLast) - Math.max(oneFirst, otherFirst) + 1);
    if (oneLast < otherLast) a += 2;
    else b += 2;
  }
  return count;
}

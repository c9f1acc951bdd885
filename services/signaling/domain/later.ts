/** Told once: a promise, or what is told sooner than one. */
export interface Pending<Value> {
  then(take: (value: Value) => void, fail: (error: unknown) => void): void;
}

/**
 * What will be known, told to the one who waits for it in the turn in which it is. Where a promise could stand: on the way of a
 * message a chain of those would cost more than what is checked of it (decision 82).
 */
export class Later<Value> implements Pending<Value> {
  #take: ((value: Value) => void) | undefined;
  #fail: ((error: unknown) => void) | undefined;
  #known: { readonly value: Value } | undefined;

  /** What is known already. */
  static of<Value>(value: Value): Later<Value> {
    const later = new Later<Value>();
    later.settle(value);
    return later;
  }

  settle(value: Value): void {
    if (this.#take === undefined) this.#known = { value };
    else this.#take(value);
  }

  /** Where somebody waits: to be known, it has to be possible. */
  fail(error: unknown): void {
    this.#fail?.(error);
  }

  // biome-ignore lint/suspicious/noThenProperty: it stands where a promise could, and may be awaited.
  then(take: (value: Value) => void, fail: (error: unknown) => void): void {
    this.#take = take;
    this.#fail = fail;
    if (this.#known !== undefined) take(this.#known.value);
  }
}

/** First in, first out; to take one does not move the others, and what was taken is not kept. */
export class Queue<Item> {
  #items: (Item | undefined)[] = [];
  #taken = 0;

  get size(): number {
    return this.#items.length - this.#taken;
  }

  /** Whose turn is next. */
  get next(): Item | undefined {
    return this.#items[this.#taken];
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** Only where there is one. */
  take(): Item {
    const item = this.#items[this.#taken] as Item;
    this.#items[this.#taken++] = undefined;
    if (this.#taken * 2 < this.#items.length) return item;
    this.#items = this.#items.slice(this.#taken);
    this.#taken = 0;
    return item;
  }
}

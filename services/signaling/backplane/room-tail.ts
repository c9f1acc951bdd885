import type { RoomRecord } from '../domain/room-record.ts';
import { parseRecord } from '../domain/room-record.ts';

/**
 * The newest records of a room, in order. They are kept for as long as a session may be resumed, so each is one text and
 * no more: what outlives its moment is what the collector of garbage has to carry.
 */
export class RoomTail {
  #texts: string[] = [];
  #seqs: number[] = [];
  #atMs: number[] = [];
  /** Where it begins: what is before that was dropped. */
  #from = 0;
  #chars = 0;

  get length(): number {
    return this.#texts.length - this.#from;
  }

  get chars(): number {
    return this.#chars;
  }

  get texts(): readonly string[] {
    return this.#texts.slice(this.#from);
  }

  /** Since when its oldest record is here. */
  get sinceMs(): number | undefined {
    return this.#atMs[this.#from];
  }

  push(seq: number, text: string, nowMs: number): void {
    this.#texts.push(text);
    this.#seqs.push(seq);
    this.#atMs.push(Math.round(nowMs));
    this.#chars += text.length;
  }

  /** Takes the oldest away; undefined where it cannot be read. */
  shift(): RoomRecord | undefined {
    const text = this.#texts[this.#from] ?? '';
    this.#chars -= text.length;
    this.#texts[this.#from] = '';
    this.#from++;
    if (this.#from * 2 > this.#texts.length) this.#keep(() => true);
    return parseRecord(text);
  }

  /** Keeps those records alone. */
  retain(seqs: ReadonlySet<number>): void {
    this.#keep((seq) => seqs.has(seq));
    this.#chars = this.#texts.reduce((chars, text) => chars + text.length, 0);
  }

  /** The seq after which it has every record up to another seq. */
  reach(seq: number): number {
    const seqs = new Set(this.#seqs.slice(this.#from));
    let from = seq;
    while (seqs.has(from)) from--;
    return from;
  }

  #keep(isKept: (seq: number) => boolean): void {
    const at = this.#seqs.flatMap((seq, index) => (index >= this.#from && isKept(seq) ? [index] : []));
    this.#texts = at.map((index) => this.#texts[index] as string);
    this.#seqs = at.map((index) => this.#seqs[index] as number);
    this.#atMs = at.map((index) => this.#atMs[index] as number);
    this.#from = 0;
  }
}

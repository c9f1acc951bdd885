import type { RoomRecord } from '../domain/room-record.ts';
import { parseRecord } from '../domain/room-record.ts';
import type { KeptRecords, Piece } from './kept-records.ts';

/** The newest records of a room, in order: for as long as a session may be resumed. In the heap is only where each of them is. */
export class RoomTail {
  readonly #kept: KeptRecords;
  /** Of each record: the piece that it lies in, and where it begins there. */
  #pieces: Piece[] = [];
  #starts: number[] = [];
  /** Where it begins: what is before that was dropped. */
  #from = 0;
  #bytes = 0;

  constructor(kept: KeptRecords) {
    this.#kept = kept;
  }

  get length(): number {
    return this.#starts.length - this.#from;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get texts(): readonly string[] {
    return this.#map((piece, start) => piece.textAt(start));
  }

  /** Since when its oldest record is here. */
  get sinceMs(): number | undefined {
    return this.#pieces[this.#from]?.atMsAt(this.#starts[this.#from] as number);
  }

  push(seq: number, text: string, nowMs: number): void {
    const piece = this.#kept.pieceFor(text);
    this.#note(piece, piece.put(seq, text, nowMs));
  }

  #note(piece: Piece, start: number): void {
    this.#pieces.push(piece);
    this.#starts.push(start);
    this.#bytes += piece.bytesAt(start);
  }

  /** Takes the oldest away; undefined where it cannot be read, or there is none. */
  shift(): RoomRecord | undefined {
    const piece = this.#pieces[this.#from];
    if (piece === undefined) return undefined;
    const start = this.#starts[this.#from] as number;
    const text = piece.textAt(start);
    this.#bytes -= piece.bytesAt(start);
    this.#kept.release(piece);
    this.#from++;
    if (this.#from * 2 > this.#starts.length) this.#forgetDropped();
    return parseRecord(text);
  }

  /** Keeps those records alone. */
  retain(seqs: ReadonlySet<number>): void {
    this.#forgetDropped();
    const [pieces, starts] = [this.#pieces, this.#starts];
    this.#pieces = [];
    this.#starts = [];
    this.#bytes = 0;
    for (const [at, piece] of pieces.entries()) {
      const start = starts[at] as number;
      if (seqs.has(piece.seqAt(start))) this.#note(piece, start);
      else this.#kept.release(piece);
    }
  }

  /** The seq after which it has every record up to another seq. */
  reach(seq: number): number {
    const seqs = new Set(this.#map((piece, start) => piece.seqAt(start)));
    let from = seq;
    while (seqs.has(from)) from--;
    return from;
  }

  #map<Value>(read: (piece: Piece, start: number) => Value): Value[] {
    return this.#pieces
      .slice(this.#from)
      .map((piece, at) => read(piece, this.#starts[this.#from + at] as number));
  }

  #forgetDropped(): void {
    this.#pieces = this.#pieces.slice(this.#from);
    this.#starts = this.#starts.slice(this.#from);
    this.#from = 0;
  }
}

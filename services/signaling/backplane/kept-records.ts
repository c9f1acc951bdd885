const PIECE_BYTES = 65_536;
/** In UTF-8 a UTF-16 unit takes at most so many. */
const BYTES_A_UNIT = 3;

/** Before each text: how many bytes it has, its seq, and when it came. */
const SEQ_AT = 4;
const TIME_AT = 12;
const HEADER_BYTES = 20;

/**
 * Where the texts of records lie while a session may need them, which is hardly ever: outside the heap, where the collector
 * of garbage would copy each of them twice, and then look at it again and again. Who keeps a record keeps the piece that
 * it lies in; what nobody keeps is freed as anything else.
 */
export class KeptRecords {
  #piece = new Piece(0);

  /** One that has room for the text. What is larger than a piece has one of its own, and the others go on in theirs. */
  pieceFor(text: string): Piece {
    if (this.#piece.left >= HEADER_BYTES + text.length * BYTES_A_UNIT) return this.#piece;
    const bytes = HEADER_BYTES + Buffer.byteLength(text);
    if (bytes > PIECE_BYTES) return new Piece(bytes);
    if (this.#piece.left < bytes) this.#piece = new Piece(PIECE_BYTES);
    return this.#piece;
  }
}

/** Records of any rooms, one behind the other. Each is asked for by where it begins. */
export class Piece {
  readonly #bytes: Buffer;
  #end = 0;

  constructor(bytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
  }

  get left(): number {
    return this.#bytes.length - this.#end;
  }

  /** Returns where it begins. */
  put(seq: number, text: string, atMs: number): number {
    const start = this.#end;
    const bytes = this.#bytes.write(text, start + HEADER_BYTES);
    this.#bytes.writeUInt32LE(bytes, start);
    this.#bytes.writeDoubleLE(seq, start + SEQ_AT);
    this.#bytes.writeDoubleLE(atMs, start + TIME_AT);
    this.#end = start + HEADER_BYTES + bytes;
    return start;
  }

  textAt(start: number): string {
    const from = start + HEADER_BYTES;
    return this.#bytes.toString('utf8', from, from + this.bytesAt(start));
  }

  /** How many its text has. */
  bytesAt(start: number): number {
    return this.#bytes.readUInt32LE(start);
  }

  seqAt(start: number): number {
    return this.#bytes.readDoubleLE(start + SEQ_AT);
  }

  atMsAt(start: number): number {
    return this.#bytes.readDoubleLE(start + TIME_AT);
  }
}

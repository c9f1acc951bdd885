const PIECE_BYTES = 65_536;
/** In UTF-8 a UTF-16 unit takes at most so many. */
const BYTES_A_UNIT = 3;

/** Before each text: how many bytes it has, its seq, and when it came. */
const SEQ_AT = 4;
const TIME_AT = 12;
const HEADER_BYTES = 20;

/** Pieces that wait for their use are these, or as many as are in use. What is over is left to the collector. */
export const FREE_FEW = 16;

/**
 * Where the texts of records lie while a session may need them, which is hardly ever: outside the heap, where the collector
 * of garbage would copy each of them twice, and then look at it again and again. A piece is used anew once nothing in it is kept,
 * so that there is none to make, nor to collect, as long as no more is said than before (decision 85).
 */
export class KeptRecords {
  #piece = new Piece(0);
  readonly #free: Piece[] = [];
  /** Pieces that hold something, or are about to. */
  #inUse = 0;

  /** One that has room for the text. What is larger than a piece has one of its own, and the others go on in theirs. */
  pieceFor(text: string): Piece {
    if (this.#piece.left >= HEADER_BYTES + text.length * BYTES_A_UNIT) return this.#piece;
    const bytes = HEADER_BYTES + Buffer.byteLength(text);
    if (bytes > PIECE_BYTES) return new Piece(bytes);
    if (this.#piece.left < bytes) this.#begin();
    return this.#piece;
  }

  /** One of the piece's records is kept no more; nobody may ask for it from here on. */
  release(piece: Piece): void {
    piece.drop();
    if (piece.isEmpty && piece !== this.#piece) this.#retire(piece);
  }

  #begin(): void {
    if (this.#piece.isEmpty) this.#retire(this.#piece);
    this.#piece = this.#free.pop() ?? new Piece(PIECE_BYTES);
    this.#inUse++;
  }

  #retire(piece: Piece): void {
    if (!piece.isReused) return;
    this.#inUse--;
    this.#free.push(piece);
    while (this.#free.length > Math.max(this.#inUse, FREE_FEW)) this.#free.pop();
  }
}

/** Records of any rooms, one behind the other. Each is asked for by where it begins. */
export class Piece {
  readonly isReused: boolean;
  readonly #bytes: Buffer;
  #end = 0;
  #records = 0;

  /** What V8 counts has it look at the whole heap for every 20 MB that rooms say. It does not count what could be shared. */
  constructor(bytes: number) {
    this.isReused = bytes === PIECE_BYTES;
    this.#bytes = this.isReused ? Buffer.from(new SharedArrayBuffer(bytes)) : Buffer.allocUnsafeSlow(bytes);
  }

  get left(): number {
    return this.#bytes.length - this.#end;
  }

  get isEmpty(): boolean {
    return this.#records === 0;
  }

  /** One of its records is kept no more. After the last it is as new. */
  drop(): void {
    this.#records--;
    if (this.#records === 0) this.#end = 0;
  }

  /** Returns where it begins. */
  put(seq: number, text: string, atMs: number): number {
    const start = this.#end;
    const bytes = this.#bytes.write(text, start + HEADER_BYTES);
    this.#bytes.writeUInt32LE(bytes, start);
    this.#bytes.writeDoubleLE(seq, start + SEQ_AT);
    this.#bytes.writeDoubleLE(atMs, start + TIME_AT);
    this.#end = start + HEADER_BYTES + bytes;
    this.#records++;
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

import { eventOf, type RoomRecord } from '../domain/room-record.ts';
import { eventFrame } from './frames.ts';

/** Frames of room records. A feed hands one record to all of its seats before the next, so one is remembered. */
export class RecordFrames {
  #record: RoomRecord | undefined;
  #frame: Buffer | undefined;

  /** Undefined where the record is no event that could be told. */
  of(record: RoomRecord): Buffer | undefined {
    if (this.#record === record) return this.#frame;
    const event = eventOf(record);
    this.#record = record;
    this.#frame = event === undefined ? undefined : eventFrame(...event);
    return this.#frame;
  }
}

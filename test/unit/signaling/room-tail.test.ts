import { setImmediate as turnsEnd } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { PeerId } from '@fenghuo/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FREE_FEW, KeptRecords } from '../../../services/signaling/backplane/kept-records.ts';
import { RoomTail } from '../../../services/signaling/backplane/room-tail.ts';
import { formatRecord, parseRecord } from '../../../services/signaling/domain/room-record.ts';

function textOf(seq: number, data: string): string {
  const from = 'ann' as PeerId;
  const body = JSON.stringify({ from, data });
  const place = { type: 'message', epoch: 2 ** 51, seq, from, to: undefined, echo: false, id: 1 } as const;
  return formatRecord({ ...place, origin: 'node', originMs: 0.5, body, inner: '' });
}

const content = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.integer({ min: 20_000, max: 80_000 }).map((length) => '\u70fd'.repeat(length)),
);

test('what rooms keep, dropped in any order, is read as it was put, whatever its length and alphabet', () => {
  const step = fc.record({ room: fc.nat(2), data: content, drops: fc.nat(2) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const kept = new KeptRecords();
      const rooms = [0, 1, 2].map(() => ({ tail: new RoomTail(kept), texts: [] as string[] }));
      for (const [at, { room, data, drops }] of steps.entries()) {
        const { tail, texts } = rooms[room] as (typeof rooms)[number];
        const text = textOf(at + 1, data);
        tail.push(at + 1, text, at);
        texts.push(text);
        for (let n = 0; n < drops; n++)
          expect(tail.shift()).toEqual(texts.length === 0 ? undefined : parseRecord(texts.shift() as string));
        expect(tail.texts).toEqual(texts);
        expect(tail.length).toBe(texts.length);
        expect(tail.bytes).toBe(texts.reduce((bytes, each) => bytes + Buffer.byteLength(each), 0));
      }
    }),
    { numRuns: 60 },
  );
});

test('a tail keeps the seqs that it is told to, and tells how far back it goes without a gap, and since when', () => {
  const tail = new RoomTail(new KeptRecords());
  for (const seq of [1, 2, 4, 5, 6]) tail.push(seq, textOf(seq, ''), seq * 10);
  expect(tail.reach(6)).toBe(3);
  expect(tail.reach(9)).toBe(9);
  tail.shift();
  expect(tail.sinceMs).toBe(20);
  tail.retain(new Set([1, 5, 6]));
  expect(tail.texts.map((text) => parseRecord(text)?.seq)).toEqual([5, 6]);
  expect(tail.sinceMs).toBe(50);
});

test('a record that is larger than a piece leaves the others theirs', () => {
  const kept = new KeptRecords();
  const tail = new RoomTail(kept);
  tail.push(1, textOf(1, 'small'), 0);
  const piece = kept.pieceFor('');
  tail.push(2, textOf(2, 'x'.repeat(100_000)), 0);
  expect(kept.pieceFor('')).toBe(piece);
  expect(tail.texts.map((text) => parseRecord(text)?.seq)).toEqual([1, 2]);
});

test('a piece of which nothing is kept any more is used anew', () => {
  const kept = new KeptRecords();
  const [one, other] = [new RoomTail(kept), new RoomTail(kept)];
  const seen = new Set<object>();
  let seq = 0;
  const say = (tail: RoomTail) => {
    seq++;
    const text = textOf(seq, 'x'.repeat(1_000));
    seen.add(kept.pieceFor(text));
    tail.push(seq, text, seq);
  };
  for (let n = 0; n < 2_000; n++) {
    say(n % 2 === 0 ? one : other);
    while (one.length > 300) one.shift();
    while (other.length > 200) other.shift();
  }
  expect(seen.size).toBeLessThan(15);
  const before = seen.size;
  for (const tail of [one, other]) tail.retain(new Set());
  for (let n = 0; n < 300; n++) say(one);
  expect(seen.size).toBe(before);
  expect(one.texts.map((text) => parseRecord(text)?.seq)).toEqual(
    Array.from({ length: 300 }, (_, n) => 2_001 + n),
  );
});

test('what a room keeps lies outside the heap, and is freed when it is dropped, but for a few pieces', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const heapBytes = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const kept = new KeptRecords();
  const tail = new RoomTail(kept);
  const before = heapBytes();
  const pieces = new Map<object, WeakRef<object>>();
  for (let seq = 1; seq <= 20_000; seq++) {
    const text = textOf(seq, 'x'.repeat(1_000));
    const piece = kept.pieceFor(text);
    pieces.set(piece, new WeakRef(piece));
    tail.push(seq, text, seq);
  }
  const refs = [...pieces.values()];
  pieces.clear();
  expect(heapBytes() - before).toBeLessThan(5_000_000);
  expect(tail.bytes).toBeGreaterThan(20_000_000);
  // What a WeakRef gave is held until the turn ends.
  await turnsEnd();
  collectGarbage();
  const left = () => refs.filter((piece) => piece.deref() !== undefined).length;
  expect(left()).toBeGreaterThan(300);
  while (tail.length > 0) tail.shift();
  await turnsEnd();
  collectGarbage();
  expect(left()).toBeLessThanOrEqual(FREE_FEW + 1);
  expect(kept.pieceFor('').left).toBeGreaterThan(0);
  expect(tail.length).toBe(0);
});

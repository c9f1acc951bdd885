import fc from 'fast-check';
import { expect, test } from 'vitest';
import { roomId } from '../../../services/signaling/domain/room-id.ts';
import { Outbox, type OutboxOptions, type Parcel } from '../../../services/signaling/webhooks/outbox.ts';
import { eventually } from '../../support/eventually.ts';

function parcel(room: string, seq: number, body = 'x'): Parcel {
  return { id: `${room} ${seq}`, room: roomId(room, 'main'), epoch: 1, seq, body };
}

/** An outbox, what became of each parcel, and what was posted. */
function outbox(options: Partial<OutboxOptions>) {
  const done: string[] = [];
  const box = new Outbox({
    post: async () => undefined,
    retryAfterMs: [1, 1, 1],
    parcelsMax: 1_000,
    bytesMax: 1_000_000,
    atOnceMax: 3,
    onDone: (outcome, { id }) => done.push(`${outcome} ${id}`),
    ...options,
  });
  return { box, done };
}

test('whatever fails, parcels of a room are posted in their order, one at a time, and each comes to one end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('blue', 'red', 'green', 'gold'), { minLength: 1, maxLength: 40 }),
      fc.array(fc.boolean(), { maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      async (rooms, failures, parcelsMax) => {
        const posted = new Map<string, number[]>();
        const underWay = new Set<string>();
        let most = 0;
        const { box, done } = outbox({
          parcelsMax,
          post: async ({ room, seq }) => {
            expect(underWay.has(room)).toBe(false);
            underWay.add(room);
            most = Math.max(most, underWay.size);
            await new Promise(setImmediate);
            underWay.delete(room);
            posted.set(room, [...(posted.get(room) ?? []), seq]);
            return failures.pop() === true ? 'failed' : undefined;
          },
        });
        rooms.forEach((room, at) => {
          box.push(parcel(room, at));
        });
        expect(box.size).toBeLessThanOrEqual(parcelsMax);
        await eventually(() => box.size === 0, { everyMs: 1 });
        expect(most).toBeLessThanOrEqual(3);
        for (const seqs of posted.values()) expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
        const ids = done.map((each) => each.slice(each.indexOf(' ') + 1));
        expect(ids.toSorted()).toEqual(rooms.map((room, at) => `${room} ${at}`).toSorted());
      },
    ),
    { numRuns: 60 },
  );
});

test('what happened before goes first, however late it is noticed', async () => {
  const posted: number[] = [];
  const { box } = outbox({
    post: async ({ seq }) => {
      posted.push(seq);
      return undefined;
    },
  });
  for (const seq of [3, 1, 2]) box.push(parcel('blue', seq));
  await eventually(() => box.size === 0);
  expect(posted).toEqual([1, 2, 3]);
});

test('over its bounds the oldest are dropped, by number and by size', async () => {
  const hanging = { post: () => new Promise<undefined>(() => {}) };
  const byNumber = outbox({ ...hanging, parcelsMax: 3 });
  for (let seq = 0; seq < 5; seq++) byNumber.box.push(parcel('blue', seq));
  expect(byNumber.done).toEqual(['dropped blue 0', 'dropped blue 1']);
  const bySize = outbox({ ...hanging, bytesMax: 25 });
  for (let seq = 0; seq < 4; seq++) bySize.box.push(parcel('blue', seq, 'x'.repeat(10)));
  expect(bySize.done).toEqual(['dropped blue 0', 'dropped blue 1']);
});

test('a room whose parcel waits for its next try goes on once that one is dropped', async () => {
  const posted: number[] = [];
  const { box } = outbox({
    parcelsMax: 2,
    retryAfterMs: [60_000],
    post: async ({ seq }) => {
      posted.push(seq);
      return seq === 0 ? 'failed' : undefined;
    },
  });
  box.push(parcel('blue', 0));
  await eventually(() => posted.length === 1);
  for (const seq of [1, 2]) box.push(parcel('blue', seq));
  await eventually(() => box.size === 0);
  expect(posted).toEqual([0, 1, 2]);
});

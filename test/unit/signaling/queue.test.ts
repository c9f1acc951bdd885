import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Queue } from '../../../services/signaling/domain/queue.ts';

test('what came first is taken first, and its size and whose turn is next are known all the time', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(), { nil: undefined }), { maxLength: 200 }), (steps) => {
      const queue = new Queue<number>();
      const items: number[] = [];
      for (const step of steps) {
        if (step !== undefined) {
          queue.push(step);
          items.push(step);
        } else if (items.length > 0) {
          expect(queue.take()).toBe(items.shift());
        }
        expect(queue.next).toBe(items[0]);
        expect(queue.size).toBe(items.length);
      }
    }),
  );
});

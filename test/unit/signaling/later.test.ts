import { expect, test } from 'vitest';
import { Later } from '../../../services/signaling/domain/later.ts';

const never = () => expect.unreachable();

test('who waits is told in the turn in which it becomes known', () => {
  const told: string[] = [];
  const later = new Later<string>();
  later.then((value) => told.push(value), never);
  later.settle('known');
  expect(told).toEqual(['known']);
});

test('who comes later is told at once', () => {
  const told: string[] = [];
  Later.of('known').then((value) => told.push(value), never);
  expect(told).toEqual(['known']);
});

test('it may be awaited, and rejects where it cannot be known', async () => {
  expect(await Later.of('known')).toBe('known');
  const later = new Later<string>();
  const awaited = (async () => later)();
  await Promise.resolve();
  later.fail(new Error('cannot be known'));
  await expect(awaited).rejects.toThrow('cannot be known');
});

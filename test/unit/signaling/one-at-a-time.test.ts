import { expect, test } from 'vitest';
import { oneAtATime } from '../../../services/signaling/backplane/redis/one-at-a-time.ts';

test('who asks while a look is under way shares the next one, which begins after the question', async () => {
  const looks: PromiseWithResolvers<string>[] = [];
  const ask = oneAtATime(() => {
    const look = Promise.withResolvers<string>();
    looks.push(look);
    return look.promise;
  });
  const [first, second, third] = [ask(), ask(), ask()];
  expect(looks).toHaveLength(1);
  looks[0]?.resolve('before');
  expect(await first).toBe('before');
  await expect.poll(() => looks).toHaveLength(2);
  looks[1]?.resolve('after');
  expect(await Promise.all([second, third])).toEqual(['after', 'after']);
  void ask();
  expect(looks).toHaveLength(3);
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { join } from '../../../services/client/index.ts';
import { passMs } from './fake-cluster.ts';
import { ModelRoom } from './model-room.ts';
import { randomFrom } from './random.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const RUNS = 150;

test(`whatever fails, and when: each event is heard once and in order, each request done once and in order (${RUNS} runs)`, async () => {
  let resumes = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = randomFrom(seed);
    const room = new ModelRoom(random);
    const session = join(['http://one', 'http://two'], { room: 'blue', connect: room.connect, random });
    await passMs(5_000);
    const heard: unknown[] = [];
    session.on('message', ({ data }) => heard.push(data));
    const answers: Promise<unknown>[] = [];
    const sent: number[] = [];
    for (let step = 0; step < 60; step++) {
      await passMs(100 * random());
      const chance = random();
      if (chance < 0.4) room.tell();
      else if (chance < 0.8) {
        sent.push(step);
        answers.push(session.message('x', step));
      } else room.harm();
    }
    room.heal();
    await passMs(60_000);
    resumes += room.resumes;
    expect({ seed, phase: session.state.phase }).toEqual({ seed, phase: 'connected' });
    expect({ seed, heard }).toEqual({ seed, heard: room.log.map(({ data }) => data) });
    expect({ seed, applied: room.applied }).toEqual({ seed, applied: sent });
    expect((await Promise.all(answers)).length).toBe(sent.length);
    const left = session.leave();
    await passMs(2_000);
    await left;
  }
  expect(resumes).toBeGreaterThan(RUNS);
});

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Command } from 'ioredis';
import { expect, test } from 'vitest';
import type { Client } from '../../../services/signaling/backplane/redis/connect.ts';
import { scriptCalls } from '../../../services/signaling/backplane/redis/script-calls.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: (options?: { type: 'minor' }) => void = runInNewContext('gc');

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? 0;
}

/** What 4,000 turns have left in the old generation, where all that each of them makes is over a few turns later. */
function carriedOver(turn: (at: number) => void): number {
  for (let at = 0; at < 100; at++) turn(at);
  collectGarbage();
  const before = oldBytes();
  for (let at = 100; at < 4_100; at++) {
    turn(at);
    if (at % 20 === 0) collectGarbage({ type: 'minor' });
  }
  return oldBytes() - before;
}

test('what a script was about is not carried on by the scripts after it', () => {
  const underWay: Command[] = [];
  const client = { sendCommand: (command: Command) => void underWay.push(command) } as unknown as Client;
  const send = scriptCalls(client, {
    commandSent() {},
    commandAnswered() {},
    commandFailed() {},
    rejected() {},
    failed() {},
  });
  const bytes = carriedOver((at) => {
    const about = Array.from({ length: 500 }, (_, n) => at + n / 2);
    send('glance', [1, 'key'], () => void about.pop());
    if (underWay.length > 4) underWay.shift()?.resolve(Buffer.from('reply'));
  });
  expect(bytes).toBeLessThan(4_000_000);
});

import { expect, test } from 'vitest';
import { roomsScriptRunner, scriptRunner } from '../../../services/signaling/backplane/redis/commands.ts';
import type { Client } from '../../../services/signaling/backplane/redis/connect.ts';
import { redisKeys } from '../../../services/signaling/backplane/redis/keys.ts';
import { Lives } from '../../../services/signaling/backplane/redis/lives.ts';
import { roomId } from '../../../services/signaling/domain/room-id.ts';

test('R1: of several rooms each says for itself that its life is not sealed, and the others count', async () => {
  const lives: string[] = [];
  const observer = {
    commandSent() {},
    commandAnswered() {},
    commandFailed() {},
    unsealed: (life: string) => void lives.push(life),
    restoring() {},
  };
  const client = { fenghuo_attest: async () => '!rebuild ab12\n!rebuild ab12\n7 3' } as unknown as Client;
  const keys = redisKeys('test');
  const run = scriptRunner(client, observer);
  const isReallySealed = async () => true;
  const runInRooms = roomsScriptRunner({
    run,
    keys,
    lives: new Lives(keys, false),
    observer,
    isReallySealed,
  });
  const rooms = ['blue', 'red', 'green'].map((name) => roomId(name, 'main'));
  expect(await runInRooms('attest', rooms, rooms)).toEqual([undefined, undefined, '7 3']);
  expect(lives).toEqual(['ab12', 'ab12']);
});

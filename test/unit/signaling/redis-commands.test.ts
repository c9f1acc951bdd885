import type { Command } from 'ioredis';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { roomsScriptCaller } from '../../../services/signaling/backplane/redis/commands.ts';
import type { Client } from '../../../services/signaling/backplane/redis/connect.ts';
import { redisKeys } from '../../../services/signaling/backplane/redis/keys.ts';
import { Lives } from '../../../services/signaling/backplane/redis/lives.ts';
import { scriptCalls } from '../../../services/signaling/backplane/redis/script-calls.ts';
import { SCRIPTS } from '../../../services/signaling/backplane/redis/scripts.ts';
import { ok, type Result, refuse } from '../../../services/signaling/domain/result.ts';
import { roomId } from '../../../services/signaling/domain/room-id.ts';

test('R1: of several rooms each says for itself that its life is not sealed, and the others count', () => {
  const lives: string[] = [];
  const keys = redisKeys('test');
  const callInRooms = roomsScriptCaller({
    send: (_, __, settle) => settle(ok('!rebuild ab12\n!rebuild ab12\n7 3')),
    keys,
    lives: new Lives(keys, false),
    observer: { unsealed: (life) => void lives.push(life), restoring() {} },
    isReallySealed: async () => true,
  });
  const rooms = ['blue', 'red', 'green'].map((name) => roomId(name, 'main'));
  let replies: readonly (string | undefined)[] = [];
  callInRooms('attest', rooms, rooms, [], (lines) => {
    replies = lines;
  });
  expect(replies).toEqual([undefined, undefined, '7 3']);
  expect(lives).toEqual(['ab12', 'ab12']);
});

describe('a call of a script', () => {
  afterEach(() => void vi.useRealTimers());

  /** Of a Redis that answers when it is told to. */
  function calls() {
    const commands: Command[] = [];
    const seen: string[] = [];
    const client = { sendCommand: (command: Command) => void commands.push(command) } as unknown as Client;
    const send = scriptCalls(client, {
      commandSent: () => void seen.push('sent'),
      commandAnswered: (script) => void seen.push(`${script} answered`),
      commandFailed: (script, error) => void seen.push(`${script}: ${error.message}`),
      rejected: () => {},
      failed: (task, error) => void seen.push(`${task} failed: ${(error as Error).message}`),
    });
    const outcomes: Result<unknown, 'unavailable'>[] = [];
    const call = () => send('glance', [1, 'key', 'argument'], (outcome) => void outcomes.push(outcome));
    return { commands, seen, outcomes, call };
  }

  const TEXT = /^\*5\r\n\$4\r\neval\r\n/;
  const HASH = new RegExp(`^\\*5\r\n\\$7\r\nevalsha\r\n\\$40\r\n${SCRIPTS.glance.sha}\r\n`);

  test('is the text of the script the first time on a connection, and then its hash: nothing overtakes', () => {
    const { commands, call } = calls();
    const [connection, another] = [{}, {}];
    const written = (socket: object) => {
      call();
      return commands.at(-1)?.toWritable(socket);
    };
    expect(written(connection)).toMatch(TEXT);
    expect(written(connection)).toMatch(HASH);
    expect(written(another)).toMatch(TEXT);
    expect(written(connection)).toMatch(HASH);
  });

  test('whose script Redis has forgotten is sent again, whole', () => {
    const { commands, seen, outcomes, call } = calls();
    const connection = {};
    call();
    commands[0]?.toWritable(connection);
    call();
    expect(commands[1]?.toWritable(connection)).toMatch(HASH);
    commands[1]?.reject(new Error('NOSCRIPT No matching script. Please use EVAL.'));
    expect(commands[2]?.toWritable(connection)).toMatch(TEXT);
    commands[2]?.resolve(Buffer.from('reply'));
    expect(outcomes).toEqual([ok('reply')]);
    expect(seen).toEqual(['sent', 'sent', 'glance answered']);
  });

  test('that fails, or is not answered in time, has failed once, whatever comes of it later', () => {
    vi.useFakeTimers();
    const { commands, seen, outcomes, call } = calls();
    call();
    vi.advanceTimersByTime(400);
    call();
    call();
    commands[1]?.reject(new Error('ERR out of memory'));
    vi.advanceTimersByTime(300);
    expect(outcomes).toEqual([refuse('unavailable'), refuse('unavailable')]);
    commands[0]?.resolve(Buffer.from('late'));
    commands[2]?.resolve(Buffer.from('in time'));
    vi.advanceTimersByTime(1_000);
    expect(outcomes.slice(2)).toEqual([ok('in time')]);
    expect(seen.slice(3)).toEqual([
      'glance: ERR out of memory',
      'glance: no answer within 600 ms',
      'glance answered',
    ]);
  });
});

import type { PeerId } from '@fenghuo/protocol';
import { expect, test } from 'vitest';
import { ok, refuse } from '../../../services/signaling/domain/result.ts';
import { roomId } from '../../../services/signaling/domain/room-id.ts';
import { accepted } from '../../../services/signaling/requests/reply.ts';
import { Session } from '../../../services/signaling/requests/session.ts';

const seat = { start: () => {}, tellEpoch: async () => {}, noteOwn: () => {}, leave: () => {} };

function openSession() {
  let nowMs = 0;
  const session = new Session(
    { room: roomId('blue', 'main'), peer: 'ann' as PeerId, generation: 1 },
    seat,
    () => nowMs,
  );
  const places: string[] = [];
  const send = (id: number, outcome: 'ok' | 'unavailable' | 'session_replaced' = 'ok', bytes = 10) =>
    session.handOver(
      id,
      bytes,
      async (place) => {
        places.push(`${place.previousId}>${place.id}`);
        return outcome === 'ok' ? ok(id) : refuse(outcome);
      },
      (value) => accepted({ value }),
    );
  const code = (reply: Awaited<ReturnType<typeof send>>) => (reply.ok ? 'ok' : reply.error.code);
  return { send, code, places, pass: (ms: number) => (nowMs += ms) };
}

test('Q2: a request names the one before it whose outcome is not known yet', async () => {
  const { send, places } = openSession();
  await Promise.all([send(2), send(3), send(7)]);
  await send(8);
  expect(places).toEqual(['0>2', '2>3', '3>7', '0>8']);
});

test('Q2: after an answer that is not final, later ids are refused alike until that one returns', async () => {
  const { send, code, places } = openSession();
  await send(2);
  expect(code(await send(3, 'unavailable'))).toBe('unavailable');
  expect(code(await send(4))).toBe('unavailable');
  expect(code(await send(5))).toBe('unavailable');
  expect(code(await send(3))).toBe('ok');
  expect(code(await send(4))).toBe('ok');
  expect(places).toEqual(['0>2', '0>3', '0>3', '0>4']);
});

test('Q2: of several that were under way, the lowest is awaited', async () => {
  const { send, code } = openSession();
  await Promise.all([send(2, 'unavailable'), send(3, 'unavailable')]);
  expect(code(await send(3))).toBe('unavailable');
  expect(code(await send(2))).toBe('ok');
  expect(code(await send(3))).toBe('ok');
});

test('a repeat of an older id passes while a later one is awaited', async () => {
  const { send, code } = openSession();
  await send(2);
  await send(3, 'unavailable');
  expect(code(await send(2))).toBe('ok');
  expect(code(await send(4))).toBe('unavailable');
});

test('D5: who wrote all that a session may is told how long to wait, and may go on after it', async () => {
  const { send, code, pass } = openSession();
  for (let id = 2; id < 2_002; id++) await send(id);
  const limited = await send(2_002);
  expect(limited).toMatchObject({ ok: false, error: { code: 'rate_limited', retry_after_ms: 10 } });
  pass(10);
  expect(code(await send(2_002))).toBe('ok');
});

test('D5: bytes are limited as well', async () => {
  const { send, code, pass } = openSession();
  const half = 1_048_576 - 128;
  expect(code(await send(2, 'ok', half))).toBe('ok');
  expect(code(await send(3, 'ok', half))).toBe('ok');
  expect(code(await send(4, 'ok', 56 * 1_024 - 128))).toBe('rate_limited');
  pass(1_000);
  expect(code(await send(4, 'ok', 56 * 1_024 - 128))).toBe('ok');
});

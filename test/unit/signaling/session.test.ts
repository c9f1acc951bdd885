import type { PeerId } from '@fenghuo/protocol';
import { expect, test } from 'vitest';
import type { Network } from '../../../services/signaling/domain/address.ts';
import { recordCost } from '../../../services/signaling/domain/budget.ts';
import { Later } from '../../../services/signaling/domain/later.ts';
import { ok, type Result, refuse } from '../../../services/signaling/domain/result.ts';
import { roomId } from '../../../services/signaling/domain/room-id.ts';
import type { RoomHome } from '../../../services/signaling/requests/context.ts';
import { accepted } from '../../../services/signaling/requests/reply.ts';
import { type Sender, Senders } from '../../../services/signaling/requests/sender.ts';
import { Session } from '../../../services/signaling/requests/session.ts';

const senderAt = (nowMs: () => number): Sender =>
  new Senders({ userPeersMax: 20, addressPeersMax: 0, onAddressLimited: () => {}, nowMs }).open(
    '192.0.2.1' as Network,
    undefined,
  );

const seat = {
  wantsState: false,
  size: 2,
  start: () => {},
  tellEpoch: async () => {},
  noteOwn: () => {},
  noteRecords: () => {},
  leave: () => {},
};

/** Sessions hand over by the calls that they are given. */
const home = {} as RoomHome;

function openSession() {
  let nowMs = 0;
  const session = new Session(
    { room: roomId('blue', 'main'), peer: 'ann' as PeerId, generation: 1, muted: [] },
    { home, seat, sender: senderAt(() => nowMs) },
  );
  const places: string[] = [];
  const send = (id: number, outcome: 'ok' | 'unavailable' | 'session_replaced' = 'ok', bytes = 10) =>
    session.handOver(
      id,
      recordCost(bytes, 1),
      async (place) => {
        places.push(`${place.previousId}>${place.id}`);
        return outcome === 'ok' ? ok(id) : refuse(outcome);
      },
      (value) => accepted({ value }),
    );
  const code = (reply: Awaited<ReturnType<typeof send>>) => (reply.ok ? 'ok' : reply.error.code);
  return { session, send, code, places, pass: (ms: number) => (nowMs += ms) };
}

test('a fault in making a reply is told to who waits for it, and to nobody who brings the outcome', async () => {
  const { session } = openSession();
  const outcome = new Later<Result<string>>();
  const reply = session.handOver(
    2,
    recordCost(0, 1),
    () => outcome,
    () => {
      throw new Error('a fault');
    },
  );
  const waiting = expect((async () => reply)()).rejects.toThrow('a fault');
  await Promise.resolve();
  outcome.settle(ok('appended'));
  await waiting;
  expect(session.isBusy).toBe(false);
});

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

test('D5: who is told to wait by his room hears for how long, and goes on with the same id', async () => {
  const { session, code, send } = openSession();
  const full = await session.handOver(
    2,
    { log_bytes: 10 },
    async () => refuse('rate_limited', 1_234),
    () => accepted({}),
  );
  expect(full).toMatchObject({ ok: false, error: { code: 'rate_limited', retry_after_ms: 1_234 } });
  expect(code(await send(3))).toBe('rate_limited');
  expect(code(await send(2))).toBe('ok');
  expect(code(await send(3))).toBe('ok');
});

/** The same session, whose calls a test answers itself, in whatever order. */
function openSlowSession() {
  const session = new Session(
    { room: roomId('blue', 'main'), peer: 'ann' as PeerId, generation: 1, muted: [] },
    { home, seat, sender: senderAt(() => 0) },
  );
  const calls: { place: string; answer: (outcome: 'ok' | 'unavailable') => void }[] = [];
  const send = async (id: number) => {
    const reply = await session.handOver(
      id,
      recordCost(10, 1),
      ({ previousId }) => {
        const { promise, resolve } = Promise.withResolvers<Outcome>();
        const answer = (outcome: 'ok' | 'unavailable') =>
          resolve(outcome === 'ok' ? ok(id) : refuse(outcome));
        calls.push({ place: `${previousId}>${id}`, answer });
        return promise;
      },
      (value) => accepted({ value }),
    );
    return reply.ok ? 'ok' : reply.error.code;
  };
  const places = () => calls.map(({ place }) => place);
  return {
    send,
    places,
    answer: (nth: number, outcome: 'ok' | 'unavailable') => calls[nth]?.answer(outcome),
  };
}

type Outcome = ReturnType<typeof ok<number>> | ReturnType<typeof refuse<'unavailable'>>;

test('Q2: while what was refused returns in its order, nothing newer passes over what has not', async () => {
  const { send, places, answer } = openSlowSession();
  const first = [send(2), send(3)];
  answer(0, 'unavailable');
  answer(1, 'unavailable');
  expect(await Promise.all(first)).toEqual(['unavailable', 'unavailable']);
  const second = send(2);
  // A new one arrives after the first of the resends and before the second: 3 is still to come.
  expect(await send(4)).toBe('unavailable');
  const third = send(3);
  const fourth = send(4);
  const fifth = send(5);
  expect(places()).toEqual(['0>2', '2>3', '0>2', '2>3', '3>4', '4>5']);
  for (const nth of [2, 3, 4, 5]) answer(nth, 'ok');
  expect(await Promise.all([second, third, fourth, fifth])).toEqual(['ok', 'ok', 'ok', 'ok']);
});

test('Q2: what was refused for want of another that fails again waits for it once more', async () => {
  const { send, places, answer } = openSlowSession();
  const first = send(2);
  answer(0, 'unavailable');
  await first;
  expect(await send(3)).toBe('unavailable');
  const again = [send(2), send(3)];
  answer(1, 'unavailable');
  // Handed over behind 2, it is refused by the backplane, too: 2 never arrived.
  answer(2, 'unavailable');
  expect(await Promise.all(again)).toEqual(['unavailable', 'unavailable']);
  expect(await send(4)).toBe('unavailable');
  expect(places()).toEqual(['0>2', '0>2', '2>3']);
});

test('Q2: an older try that ends late, after a newer one was answered, wedges nothing', async () => {
  const { send, places, answer } = openSlowSession();
  const older = send(2);
  const newer = send(2);
  answer(1, 'ok');
  expect(await newer).toBe('ok');
  answer(0, 'unavailable');
  expect(await older).toBe('unavailable');
  const next = send(3);
  answer(2, 'ok');
  expect(await next).toBe('ok');
  expect(places()).toEqual(['0>2', '0>2', '0>3']);
});

test('Q2: an older try that ends late, before the newer one does, holds later ids back until that one is answered', async () => {
  const { send, answer } = openSlowSession();
  const older = send(2);
  const newer = send(2);
  answer(0, 'unavailable');
  expect(await older).toBe('unavailable');
  expect(await send(3)).toBe('unavailable');
  answer(1, 'ok');
  expect(await newer).toBe('ok');
  const next = send(3);
  answer(2, 'ok');
  expect(await next).toBe('ok');
});

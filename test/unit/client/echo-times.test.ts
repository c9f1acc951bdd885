import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ECHO_TOPIC, EchoTimes, type Peer, type PeerId } from '../../../services/client/index.ts';
import { type FakeSignaling, joined, passMs, passUntil, peer } from './fake-cluster.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const ANA = 'ana' as PeerId;
const WEI = 'wei' as PeerId;

/** Wei measures, and Ana is in the room. */
async function measuring() {
  const { session, connection } = await joined();
  const echo = new EchoTimes(session);
  const asked = () => whispers(connection).filter(({ data }) => 'ask' in data);
  const answer = (ask = asked().at(-1)?.data.ask, from = ANA) =>
    connection.hear('message', { from, to: WEI, topic: ECHO_TOPIC, data: { answer: ask as number } });
  return { session, connection, echo, asked, answer };
}

function whispers(connection: FakeSignaling) {
  return connection.sent('message').map(({ payload }) => {
    expect(payload).toMatchObject({ topic: ECHO_TOPIC, ephemeral: true });
    return { to: payload.to, data: payload.data as { ask?: unknown; answer?: unknown } };
  });
}

test('the time is that from the question to its answer, the shortest of the last five', async () => {
  const { echo, asked, answer } = await measuring();
  const told: unknown[] = [];
  echo.on('change', (times) => told.push(times.get(ANA)));
  for (const tookMs of [40, 30, 50, 50, 50, 50, 50]) {
    const before = asked().length;
    await passUntil(() => asked().length > before);
    await passMs(tookMs);
    answer();
  }
  expect(told).toEqual([40, 30, 30, 30, 30, 30, 50]);
  expect([...echo.times]).toEqual([[ANA, 50]]);
});

test('one person is asked in a second, in turn, and each every ten seconds at most', async () => {
  const { connection, asked, answer } = await measuring();
  connection.hear('peer_joined', { seq: 8, peer: peer('bo', 8) });
  for (let second = 0; second < 20; second++) {
    await passMs(1_000);
    const newest = asked().at(-1);
    answer(newest?.data.ask, newest?.to as PeerId);
  }
  expect(asked().map(({ to }) => to)).toEqual(['ana', 'bo', 'ana', 'bo']);
});

test('who does not answer is asked three times, and again when they are at another node', async () => {
  const { connection, asked } = await measuring();
  await passMs(100_000);
  expect(asked()).toHaveLength(3);
  connection.hear('peer_updated', { seq: 8, peer: { ...peer('ana', 3), node: 'shanghai-1' } });
  await passMs(1_000);
  expect(asked()).toHaveLength(4);
});

test("an answer that was not asked for, or is somebody else's, counts for nothing", async () => {
  const { connection, echo, asked, answer } = await measuring();
  const told = vi.fn();
  echo.on('change', told);
  connection.hear('peer_joined', { seq: 8, peer: peer('bo', 8) });
  await passMs(1_000);
  answer(99);
  answer(asked().at(-1)?.data.ask, 'bo' as PeerId);
  expect(echo.times.size).toBe(0);
  answer();
  await passMs(500);
  answer();
  expect([...echo.times]).toEqual([[ANA, 0]]);
  expect(told).toHaveBeenCalledOnce();
});

test('a question is answered, to who asked; twenty in a second at most', async () => {
  const { connection } = await measuring();
  for (let ask = 1; ask <= 30; ask++)
    connection.hear('message', { from: ANA, to: WEI, topic: ECHO_TOPIC, data: { ask } });
  const answers = whispers(connection);
  expect(answers).toHaveLength(20);
  expect(answers[4]).toEqual({ to: 'ana', data: { answer: 5 } });
  connection.hear('message', { from: ANA, topic: ECHO_TOPIC, data: { ask: 31 } });
  connection.hear('message', { from: ANA, to: WEI, topic: ECHO_TOPIC, data: null });
  expect(whispers(connection)).toHaveLength(20);
});

const muted: Partial<Peer> = { muted: ['message'] };
test.each([
  ['is away', { connected: false }],
  ['is muted', muted],
])('who %s is not asked', async (_, change) => {
  const { connection, asked } = await measuring();
  connection.hear('peer_updated', { seq: 8, peer: { ...peer('ana', 3), ...change } });
  await passMs(5_000);
  expect(asked()).toEqual([]);
});

test('who is muted asks nobody', async () => {
  const { connection, asked } = await measuring();
  connection.hear('peer_updated', { seq: 8, peer: { ...peer('wei', 7), ...muted } });
  await passMs(5_000);
  expect(asked()).toEqual([]);
});

test('what was measured is forgotten when one of both is at another node, or gone, and all ends with the session', async () => {
  const { session, connection, echo, asked, answer } = await measuring();
  const measure = async () => {
    await passMs(11_000);
    answer();
    expect(echo.times.size).toBe(1);
  };
  connection.hear('welcome', { node: 'beijing-1', region: 'beijing', protocol: 1 });
  await measure();
  connection.hear('peer_updated', { seq: 8, peer: { ...peer('ana', 3), node: 'shanghai-1' } });
  expect(echo.times.size).toBe(0);
  await measure();
  connection.hear('peer_left', { seq: 9, peer: ANA, reason: 'left' });
  expect(echo.times.size).toBe(0);
  const { length } = asked();
  connection.hear('peer_joined', { seq: 10, peer: peer('bo', 10) });
  void session.leave();
  await passMs(5_000);
  expect(asked()).toHaveLength(length);
});

import { afterEach, expect, test } from 'vitest';
import { capabilities } from '../support/capabilities.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connect, type PlainClient } from '../support/plain-client.ts';
import { type LocalRedis, startLocalRedis } from '../support/redis.ts';

let redis: LocalRedis;
let cluster: TestCluster;
const rejections: unknown[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);
process.on('unhandledRejection', onRejection);

afterEach(async () => {
  redis?.resume();
  await cluster?.stop();
  await redis?.stop();
  expect(rejections).toEqual([]);
});

const PAIRS = 10;
const SEND_EVERY_MS = 20;
const PAUSE_MS = 5_000;
const ANSWER_MS_MAX = 1_000;

/** Sends numbered signals to one peer without a break, and resends what had no final answer, as the protocol says. */
class NumberingSender {
  readonly answerTimesMs: number[] = [];
  /** When each request that was `unavailable` had been sent. */
  readonly unavailableAtMs: number[] = [];
  readonly otherErrors: unknown[] = [];
  sent = 0;
  disconnects = 0;
  readonly #client: PlainClient;
  readonly #to: string;
  #isSending = true;
  readonly done: Promise<void>;

  constructor(client: PlainClient, to: string) {
    this.#client = client;
    this.#to = to;
    client.socket.on('disconnect', () => {
      this.disconnects += 1;
    });
    this.done = this.#run();
  }

  stop(): Promise<void> {
    this.#isSending = false;
    return this.done;
  }

  async #run(): Promise<void> {
    for (let id = 2; this.#isSending; id++) {
      await this.#untilFinal(id);
      this.sent += 1;
      await pause(SEND_EVERY_MS);
    }
  }

  async #untilFinal(id: number): Promise<void> {
    const candidate = { candidate: String(id - 2) };
    for (;;) {
      const startMs = performance.now();
      const reply = await this.#client.ask('signal', { id, to: this.#to, candidate });
      this.answerTimesMs.push(performance.now() - startMs);
      if (reply.ok) return;
      if (reply.error.code === 'unavailable') this.unavailableAtMs.push(startMs);
      else this.otherErrors.push(reply.error);
      await pause(reply.error.retry_after_ms ?? SEND_EVERY_MS);
    }
  }
}

async function pairs(): Promise<{ sender: NumberingSender; receiver: PlainClient; close(): void }[]> {
  return Promise.all(
    Array.from({ length: PAIRS }, async (_, n) => {
      const [ann, bob] = await Promise.all([connect(cluster.nodes[0].url), connect(cluster.nodes[1].url)]);
      await ann.join(`pair-${n}`);
      const { self } = await bob.join(`pair-${n}`);
      const close = () => {
        ann.close();
        bob.close();
      };
      return { sender: new NumberingSender(ann, self.id), receiver: bob, close };
    }),
  );
}

/** Traffic, a fault under it, traffic again: nothing is lost, doubled or reordered, and nobody is disconnected. */
type Pair = Awaited<ReturnType<typeof pairs>>[number];

async function survives(fault: (running: readonly Pair[]) => Promise<void>): Promise<NumberingSender[]> {
  const running = await pairs();
  await eventually(() => running.every(({ sender }) => sender.sent > 20), {
    what: 'traffic before the fault',
  });
  await fault(running);
  const before = running.map(({ sender }) => sender.sent);
  await eventually(() => running.every(({ sender }, n) => sender.sent > (before[n] ?? 0) + 20), {
    timeoutMs: 20_000,
    what: 'traffic after the fault, without a restart',
  });
  await Promise.all(running.map(({ sender }) => sender.stop()));
  for (const { sender, receiver } of running) {
    const expected = Array.from({ length: sender.sent }, (_, n) => String(n));
    await eventually(() => receiver.all('signal').length >= sender.sent, {
      timeoutMs: 10_000,
      what: 'every signal',
    });
    expect(receiver.all('signal').map((signal) => signal.candidate.candidate)).toEqual(expected);
    expect(sender.disconnects).toBe(0);
    expect(receiver.all('peer_left')).toEqual([]);
    expect(sender.otherErrors).toEqual([]);
    expect(Math.max(...sender.answerTimesMs)).toBeLessThan(ANSWER_MS_MAX);
  }
  for (const node of cluster.nodes) expect((await fetch(`${node.opsUrl}/livez`)).status).toBe(200);
  await eventually(async () => {
    for (const node of cluster.nodes) expect((await fetch(`${node.opsUrl}/readyz`)).status).toBe(200);
  });
  for (const { close } of running) close();
  return running.map(({ sender }) => sender);
}

test.skipIf(!capabilities.redisServer)(
  'Redis hangs for five seconds: requests are unavailable within a second, then signals flow again, each once',
  async () => {
    redis = await startLocalRedis();
    cluster = await startCluster({ redisUrl: redis.url });
    let pausedAtMs = 0;
    const senders = await survives(async () => {
      pausedAtMs = performance.now();
      redis.pause();
      const newcomer = await connect(cluster.nodes[0].url);
      const askedAtMs = performance.now();
      expect(await newcomer.ask('join', { id: 1, room: 'during' })).toMatchObject({
        error: { code: 'unavailable' },
      });
      expect(performance.now() - askedAtMs).toBeLessThan(ANSWER_MS_MAX);
      await pause(PAUSE_MS - (performance.now() - pausedAtMs));
      redis.resume();
      await eventually(
        async () => {
          expect(await newcomer.ask('join', { id: 1, room: 'during' })).toMatchObject({
            ok: true,
            peers: [],
          });
        },
        { timeoutMs: 10_000, everyMs: 200 },
      );
      newcomer.close();
    });
    for (const sender of senders) expect(sender.unavailableAtMs.length).toBeGreaterThan(0);
  },
);

test.skipIf(!capabilities.redisServer)(
  'Redis with its append-only file is killed and restarted: signals flow again, each once',
  async () => {
    redis = await startLocalRedis({ aof: true });
    cluster = await startCluster({ redisUrl: redis.url });
    const senders = await survives(async () => {
      await redis.kill();
      await eventually(
        async () => expect((await fetch(`${cluster.nodes[0].opsUrl}/readyz`)).status).toBe(503),
        {
          timeoutMs: 8_000,
        },
      );
      await redis.restart();
    });
    for (const sender of senders) expect(sender.unavailableAtMs.length).toBeGreaterThan(0);
  },
);

test.skipIf(!capabilities.redisServer)(
  'Redis loses everything, in a restart or by a flush: the nodes give it back, and every session learns that nothing is missing',
  async () => {
    redis = await startLocalRedis();
    cluster = await startCluster({ redisUrl: redis.url });
    await survives(async (running) => {
      await redis.kill();
      await redis.restart();
      for (const { receiver } of running)
        expect(await receiver.next('resync', 15_000)).toMatchObject({
          complete: true,
          peers: [{ connected: true }],
        });
      await redis.flush();
      for (const { receiver } of running)
        expect(await receiver.next('resync', 15_000)).toMatchObject({
          complete: true,
          peers: [{ connected: true }],
        });
    });
  },
);

test.skipIf(!capabilities.redisServer)(
  'a Redis that comes back from an older file is brought up to what the nodes know',
  async () => {
    redis = await startLocalRedis();
    cluster = await startCluster({ redisUrl: redis.url });
    await survives(async (running) => {
      await redis.save();
      const saved = running.map(({ sender }) => sender.sent);
      await eventually(() => running.every(({ sender }, n) => sender.sent > (saved[n] ?? 0) + 20), {
        what: 'traffic that the file does not hold',
      });
      await redis.kill();
      await redis.restart();
      for (const { receiver } of running)
        expect(await receiver.next('resync', 15_000)).toMatchObject({ complete: true });
    });
  },
);

test.skipIf(!capabilities.redisServer)(
  'C2: time without Redis counts for no window: who lost its connection in an outage may still resume',
  async () => {
    redis = await startLocalRedis();
    cluster = await startCluster({ redisUrl: redis.url, settings: { RESUME_WINDOW_MS: '3000' } });
    const [ann, witness] = await Promise.all([connect(cluster.nodes[0].url), connect(cluster.nodes[1].url)]);
    await witness.join('blue');
    const joined = await ann.join('blue');
    redis.pause();
    ann.close();
    await pause(6_000);
    redis.resume();
    expect(await witness.next('peer_updated', 10_000)).toMatchObject({ peer: { connected: false } });
    const again = await connect(cluster.nodes[1].url);
    expect(await again.resume(joined)).toMatchObject({ recovered: true });
    expect(witness.all('peer_left')).toEqual([]);
    again.close();
    expect(await witness.next('peer_left', 10_000)).toMatchObject({
      peer: joined.self.id,
      reason: 'expired',
    });
    witness.close();
  },
);

test.skipIf(!capabilities.redisServer)(
  'Q4: a join that was under way when its client went away makes no ghost',
  async () => {
    redis = await startLocalRedis();
    cluster = await startCluster({ redisUrl: redis.url });
    const [hasty, witness] = await Promise.all([
      connect(cluster.nodes[0].url),
      connect(cluster.nodes[1].url),
    ]);
    await witness.join('blue');
    redis.pause();
    hasty.socket.emit('join', { id: 1, room: 'blue' });
    await eventually(async () => (await fetch(`${cluster.nodes[0].opsUrl}/readyz`)).status === 503, {
      timeoutMs: 8_000,
    });
    hasty.close();
    redis.resume();
    await eventually(
      async () => {
        const late = await connect(cluster.nodes[0].url);
        const joined = await late.ask('join', { id: 1, room: 'blue' });
        if (joined.ok) await late.ask('leave', { id: 2 });
        late.close();
        return joined.ok && joined.peers.length === 1;
      },
      { timeoutMs: 15_000, everyMs: 250, what: 'a roster of the witness alone' },
    );
    witness.close();
  },
);

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

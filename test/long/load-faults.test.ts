import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';

import type { Result } from '../../services/loadtest/load/report/index.ts';
import type { RoomRecord } from '../../services/signaling/domain/room-record.ts';
import { SocketConnection } from '../../services/signaling/sockets/socket-connection.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { startLoad } from '../support/load-run.ts';

/** One in so many signals is treated badly. */
const ONE_IN = 1_000;
const DELAY_MS = 400;

// Seconds of load, and then as long as all takes to come to rest.
vi.setConfig({ testTimeout: 90_000 });

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.stop());

const sound = SocketConnection.prototype.sendRecord;
afterEach(() => {
  SocketConnection.prototype.sendRecord = sound;
});

/** Patches the nodes: every thousandth signal that they hand on goes this way. */
function plant(
  fault: (send: () => void, record: RoomRecord, somebodyElse: SocketConnection) => void,
): () => number {
  const seen = new Set<SocketConnection>();
  let signals = 0;
  let planted = 0;
  SocketConnection.prototype.sendRecord = function patched(record) {
    const send = () => sound.call(this, record);
    if (record.type !== 'signal') return send();
    seen.add(this);
    signals += 1;
    if (signals % ONE_IN !== 0) return send();
    planted += 1;
    fault(send, record, [...seen].findLast((each) => each !== this && each.isOpen) as SocketConnection);
  };
  return () => planted;
}

/** Few pairs, so that each has many signals on their way; more than two thousand in all. */
async function run(): Promise<Result> {
  const load = startLoad([
    'idle',
    ...cluster.nodes.flatMap(({ url }) => ['--url', url]),
    ...['--pairs', '5', '--rate', '500', '--duration', '5s', '--seed', '1'],
  ]);
  await load.ended;
  const result = load.result();
  expect(result.signals.accepted).toBeGreaterThan(2 * ONE_IN);
  expect(result.signals.accepted).toBe(result.signals.planned);
  return result;
}

const clean = { lost: 0, doubled: 0, reordered: 0, misrouted: 0 };

test('a node without a fault is found to have none', async () => {
  const planted = plant((send) => send());
  const { signals } = await run();
  expect(planted()).toBeGreaterThanOrEqual(2);
  expect(signals).toMatchObject({ ...clean, delivered: signals.expected });
});

test('a node that drops one signal in a thousand is found out', async () => {
  const planted = plant(() => {});
  const { signals, verdict } = await run();
  expect(planted()).toBeGreaterThanOrEqual(2);
  expect(signals).toMatchObject({ ...clean, lost: planted() });
  expect(verdict).not.toBe('pass');
});

test('a node that delivers one in a thousand twice is found out', async () => {
  const planted = plant((send) => {
    send();
    send();
  });
  const { signals, verdict } = await run();
  expect(planted()).toBeGreaterThanOrEqual(2);
  expect(signals).toMatchObject({ ...clean, doubled: planted() });
  expect(verdict).not.toBe('pass');
});

test('a node that holds one in a thousand back is found out, by its time and by what overtook it', async () => {
  const planted = plant((send) => void setTimeout(send, DELAY_MS));
  const { signals, latencies, verdict } = await run();
  expect(planted()).toBeGreaterThanOrEqual(2);
  expect(signals.lost + signals.doubled + signals.misrouted).toBe(0);
  expect(signals.reordered).toBeGreaterThanOrEqual(1);
  expect(latencies.relay?.maxMs).toBeGreaterThanOrEqual(DELAY_MS);
  expect(verdict).not.toBe('pass');
});

test('a node that hands one in a thousand to somebody else is found out', async () => {
  const planted = plant((_, record, somebodyElse) => sound.call(somebodyElse, record));
  const { signals, verdict } = await run();
  expect(planted()).toBeGreaterThanOrEqual(2);
  expect(signals).toMatchObject({ ...clean, lost: planted(), misrouted: planted() });
  expect(verdict).not.toBe('pass');
});

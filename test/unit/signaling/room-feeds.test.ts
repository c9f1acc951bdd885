import { expect, test } from 'vitest';
import { memoryHub } from '../../../services/signaling/backplane/memory/hub.ts';
import { RoomFeeds } from '../../../services/signaling/backplane/room-feeds.ts';
import { defaultLogBounds } from '../../../services/signaling/domain/log-bounds.ts';
import { type RoomId, roomId } from '../../../services/signaling/domain/room-id.ts';
import type { RoomRecord } from '../../../services/signaling/domain/room-record.ts';
import { newcomer } from '../../contract/nodes.ts';
import { eventually } from '../../support/eventually.ts';
import { keepSealed } from '../../support/seal.ts';

const BLUE = roomId('blue', 'main');
const bounds = defaultLogBounds(30_000);
const observer = { applied() {}, duplicate() {}, repaired() {}, resynced() {}, malformed() {}, failed() {} };

test('C7: a room that was let go before its doorbell failed is let go once, so whoever holds it anew goes on', async () => {
  const { rooms, doorbell } = memoryHub().attach({ incarnation: 'node', bounds });
  const holders = new Map<RoomId, number>();
  const count = (room: RoomId, by: number) => holders.set(room, (holders.get(room) ?? 0) + by);
  const answers: ((isHeard: boolean) => void)[] = [];
  const feeds = new RoomFeeds({
    rooms,
    doorbell: Object.assign(doorbell, {
      subscribe: () => new Promise<boolean>((resolve) => answers.push(resolve)),
    }),
    holds: { hold: async (room) => count(room, 1) !== undefined, release: (room) => count(room, -1) },
    bounds,
    observer,
    owner: () => 'node',
    onStray: () => {},
  });
  feeds.warm(BLUE)();
  feeds.warm(BLUE);
  const [first, second] = answers;
  first?.(false);
  second?.(true);
  await new Promise(setImmediate);
  expect(holders.get(BLUE)).toBe(1);
});

test('D2: of a room in doubt the log is read at once, not when heads are compared', async () => {
  const backplane = memoryHub().attach({ incarnation: 'node', bounds });
  await keepSealed(backplane, 'node');
  const { rooms, doorbell } = backplane;
  const feeds = new RoomFeeds({
    rooms,
    doorbell,
    holds: { hold: async () => true, release: () => {} },
    bounds,
    observer,
    owner: () => 'node',
    onStray: () => {},
  });
  const delivered: RoomRecord[] = [];
  const ann = newcomer(BLUE, { name: 'Ann' });
  const noop = () => {};
  const seat = await feeds.collect(BLUE, {
    peer: ann.peer,
    deliver: (record) => delivered.push(record),
    resync: noop,
    left: noop,
    removed: noop,
    replaced: noop,
    lost: noop,
  });
  const joined = await rooms.join(ann);
  if (!joined.ok) throw new Error(joined.code);
  const { epoch, seq } = joined.value.snapshot;
  seat?.start({ epoch, seq, generation: 1, record: joined.value.record });
  doorbell.unsubscribe(BLUE);
  await rooms.send(BLUE, { to: undefined, body: '{}' });

  doorbell.onDoubt(BLUE);
  await eventually(() => delivered.length === 1, { what: 'what did not ring' });
  feeds.close();
});

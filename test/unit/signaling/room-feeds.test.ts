import { expect, test } from 'vitest';
import { memoryHub } from '../../../services/signaling/backplane/memory/hub.ts';
import { RoomFeeds } from '../../../services/signaling/backplane/room-feeds.ts';
import { defaultLogBounds } from '../../../services/signaling/domain/log-bounds.ts';
import { type RoomId, roomId } from '../../../services/signaling/domain/room-id.ts';

const BLUE = roomId('blue', 'main');
const bounds = defaultLogBounds(30_000);
const observer = { applied() {}, duplicate() {}, repaired() {}, resynced() {} };

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

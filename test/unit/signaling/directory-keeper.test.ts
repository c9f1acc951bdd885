import { expect, test } from 'vitest';
import type { Directory, ListedRoom, RoomGlance } from '../../../services/signaling/backplane/directory.ts';
import { DirectoryKeeper } from '../../../services/signaling/backplane/directory-keeper.ts';
import { ok, refuse } from '../../../services/signaling/domain/result.ts';
import { type RoomId, roomId } from '../../../services/signaling/domain/room-id.ts';

const [blue, red] = [roomId('blue', 'main'), roomId('red', 'main')];

/** A node's view of a directory that a test may take away, and what was told to it, tick by tick. */
function keeping() {
  const hosted = new Map<RoomId, number>();
  const elsewhere = new Map<RoomId, number>();
  const told: ListedRoom[] = [];
  const state = { isAway: false };
  const glance = (room: RoomId): RoomGlance | undefined => {
    const peers = elsewhere.get(room);
    return peers === undefined ? undefined : { locked: false, peersMax: 9, peers, connected: peers };
  };
  const directory: Directory = {
    report: async (rooms) => {
      if (state.isAway) return refuse('unavailable');
      told.push(...rooms);
      return ok(undefined);
    },
    list: async () => refuse('unavailable'),
    glance: async (rooms) => (state.isAway ? refuse('unavailable') : ok(rooms.map(glance))),
  };
  const keeper = new DirectoryKeeper(directory, () => hosted);
  const tick = async () => {
    await keeper.tell();
    return told.splice(0);
  };
  return { hosted, elsewhere, state, keeper, tick };
}

test('a room is told when it is new and when its size changes, and not each time', async () => {
  const { hosted, tick } = keeping();
  hosted.set(blue, 1);
  expect(await tick()).toEqual([{ room: blue, size: 1 }]);
  expect(await tick()).toEqual([]);
  hosted.set(blue, 3);
  expect(await tick()).toEqual([{ room: blue, size: 3 }]);
});

test('every room is told again within thirty times, so that a lost directory heals', async () => {
  const { hosted, tick } = keeping();
  for (let n = 0; n < 45; n++) hosted.set(roomId(`room-${n}`, 'main'), 1);
  await tick();
  const again: ListedRoom[] = [];
  for (let n = 0; n < 30; n++) again.push(...(await tick()));
  expect(again.map(({ room }) => room).toSorted()).toEqual([...hosted.keys()].toSorted());
});

test('what a backplane lost is told at once', async () => {
  const { hosted, keeper, tick } = keeping();
  hosted.set(blue, 1).set(red, 2);
  await tick();
  keeper.forget();
  expect(await tick()).toHaveLength(2);
});

test('of a room that is hosted no more the directory learns how it is: over, or as large as it is elsewhere', async () => {
  const { hosted, elsewhere, tick } = keeping();
  hosted.set(blue, 1).set(red, 2);
  await tick();
  hosted.clear();
  elsewhere.set(red, 1);
  expect(await tick()).toEqual([
    { room: blue, size: 0 },
    { room: red, size: 1 },
  ]);
  expect(await tick()).toEqual([]);
});

test('what a backplane did not take is told as soon as it answers', async () => {
  const { hosted, state, tick } = keeping();
  hosted.set(red, 2);
  await tick();
  state.isAway = true;
  hosted.set(blue, 1).delete(red);
  expect(await tick()).toEqual([]);
  state.isAway = false;
  expect(await tick()).toEqual([
    { room: blue, size: 1 },
    { room: red, size: 0 },
  ]);
});

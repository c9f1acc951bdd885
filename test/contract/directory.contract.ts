import { describe, expect, onTestFinished, test } from 'vitest';
import type { Backplane } from '../../services/signaling/backplane/backplane.ts';
import type { DirectoryQuery, ListedRoom } from '../../services/signaling/backplane/directory.ts';
import { JOURNAL_ENTRIES_MAX } from '../../services/signaling/backplane/journal.ts';
import { listRooms } from '../../services/signaling/backplane/room-listing.ts';
import { roomId, roomName } from '../../services/signaling/domain/room-id.ts';
import { eventually } from '../support/eventually.ts';
import { newcomer, type SharedBackplane } from './nodes.ts';

/** What every backplane must do so that any node can tell of all rooms, and of what operators did. */
export function directoryContract(name: string, share: () => Promise<SharedBackplane>): void {
  let shared: SharedBackplane;
  let node: Backplane;

  async function open() {
    shared = await share();
    node = await shared.open();
    const [{ close: closeShared }, opened] = [shared, node];
    onTestFinished(async () => {
      await opened.close();
      await closeShared();
    });
  }

  const listed = (name: string, size: number): ListedRoom => ({ room: roomId(name, 'main'), size });

  async function list(query: Partial<DirectoryQuery> = {}) {
    const read = await node.directory.list({ sort: 'size', after: undefined, limit: 100, ...query });
    if (!read.ok) throw new Error(read.code);
    return read.value;
  }

  const names = (rooms: readonly ListedRoom[]) => rooms.map(({ room }) => roomName(room));

  describe(`the directory on ${name}`, () => {
    test('has the rooms that were told, by size or by name, and no more those that are over', async () => {
      await open();
      await node.directory.report([listed('b', 3), listed('a', 3), listed('c', 7), listed('烽火', 1)]);
      expect(await list()).toEqual({
        total: 4,
        rooms: [listed('c', 7), listed('a', 3), listed('b', 3), listed('烽火', 1)],
      });
      expect(names((await list({ sort: 'name' })).rooms)).toEqual(['a', 'b', 'c', '烽火']);
      await node.directory.report([listed('c', 0), listed('b', 9), listed('never there', 0)]);
      expect(await list()).toEqual({
        total: 3,
        rooms: [listed('b', 9), listed('a', 3), listed('烽火', 1)],
      });
    });

    test('takes more rooms at once than one call of a script bears', async () => {
      await open();
      const many = Array.from({ length: 3_000 }, (_, n) => listed(`room-${n}`, 1 + (n % 50)));
      expect(await node.directory.report(many)).toMatchObject({ ok: true });
      expect((await list({ limit: 1 })).total).toBe(3_000);
    });

    test.each(['size', 'name'] as const)(
      'by %s, is read page by page, each room once, whatever becomes of the last of a page',
      async (sort) => {
        await open();
        const rooms = Array.from({ length: 10 }, (_, n) => listed(`room-${n}`, 5));
        await node.directory.report(rooms);
        const seen: string[] = [];
        const fates = [0, 9, 1];
        for (let after: ListedRoom | undefined; ; ) {
          const page: readonly ListedRoom[] = (await list({ sort, after, limit: 3 })).rooms;
          seen.push(...names(page));
          after = page.at(-1);
          if (after === undefined) break;
          // It ends, grows or shrinks before the next page is read.
          const size = fates.shift();
          if (size !== undefined) await node.directory.report([{ ...after, size }]);
        }
        expect(seen.filter((each, at) => seen.indexOf(each) === at)).toEqual(names(rooms));
        // One that shrank comes again where it is now.
        expect(seen.length).toBe(sort === 'size' ? 11 : 10);
      },
    );

    test('sees how rooms are now, without their peers, and which are not there', async () => {
      await open();
      const blue = roomId('blue', 'main');
      for (const each of ['Ann', 'Bob']) await node.rooms.join(newcomer(blue, { name: each, peersMax: 7 }));
      const away = newcomer(blue, { name: 'Carol' });
      await node.rooms.join(away);
      await node.rooms.detach(away, 'incarnation');
      expect(await node.directory.glance([roomId('red', 'main'), blue])).toEqual({
        ok: true,
        value: [undefined, { locked: false, peersMax: 7, peers: 3, connected: 2 }],
      });
    });
  });

  describe(`a listing on ${name}`, () => {
    const query = { filter: '', sort: 'size', limit: 100, after: undefined } as const;

    test('holds what the rooms themselves say, and drops those that are gone', async () => {
      await open();
      await node.rooms.join(newcomer(roomId('blue', 'main'), { name: 'Ann' }));
      await node.directory.report([listed('blue', 5), listed('left behind', 3)]);
      const listing = await listRooms(node.directory, query);
      expect(listing).toMatchObject({ ok: true, value: { total: 2, next: undefined } });
      expect(listing.ok && listing.value.rooms).toEqual([
        { room: 'blue@main', locked: false, peersMax: 100, peers: 1, connected: 1 },
      ]);
      await eventually(async () => (await list()).total === 1, { what: 'the one left behind is dropped' });
    });

    test('by a part of the name, in any case of letters, goes on where it stopped', async () => {
      await open();
      const joined = [...Array.from({ length: 5 }, (_, n) => `Déjà-vu ${n}`), 'red', '烽火'];
      for (const each of joined) await node.rooms.join(newcomer(roomId(each, 'main'), { name: 'Ann' }));
      await node.directory.report(joined.map((each) => listed(each, 1)));
      const found: string[] = [];
      for (let after: ListedRoom | undefined; ; ) {
        const page = await listRooms(node.directory, { ...query, filter: 'DÉJÀ', limit: 2, after });
        if (!page.ok) throw new Error(page.code);
        expect(page.value.rooms.length).toBeLessThanOrEqual(2);
        found.push(...page.value.rooms.map(({ room }) => roomName(room)));
        after = page.value.next;
        if (after === undefined) break;
      }
      expect(found).toEqual(joined.slice(0, 5));
      const none = await listRooms(node.directory, { ...query, filter: '@main' });
      expect(none).toMatchObject({ value: { rooms: [], next: undefined } });
    });

    test('looks at a bounded part of a large directory, and says where to go on', async () => {
      await open();
      const many = Array.from({ length: 6_000 }, (_, n) => listed(`room-${String(n).padStart(5, '0')}`, 1));
      await node.directory.report(many);
      await node.rooms.join(newcomer(roomId('zoo', 'main'), { name: 'Ann' }));
      await node.directory.report([listed('zoo', 1)]);
      const first = await listRooms(node.directory, { ...query, filter: 'zoo' });
      expect(first).toMatchObject({ value: { rooms: [], next: many[4_999] } });
      const after = first.ok ? first.value.next : undefined;
      const second = await listRooms(node.directory, { ...query, filter: 'zoo', after });
      expect(second).toMatchObject({ value: { rooms: [{ room: 'zoo@main' }], next: undefined } });
    });
  });

  describe(`the journal on ${name}`, () => {
    const entry = (n: number) => ({ event: 'audit', n, at: '2026-11-22T10:00:00.000Z', node: 'beijing-1' });

    async function read(after?: string, limit = 10) {
      const entries = await node.journal.readAfter(after, limit);
      if (!entries.ok) throw new Error(entries.code);
      return entries.value;
    }

    test('gives the newest entries, the oldest of them first, and what follows one that was read', async () => {
      await open();
      expect(await read()).toEqual([]);
      for (let n = 1; n <= 5; n++) expect(await node.journal.write(entry(n))).toMatchObject({ ok: true });
      const newest = await read(undefined, 3);
      expect(newest.map((each) => each.n)).toEqual([3, 4, 5]);
      expect(newest[0]).toEqual({ ...entry(3), id: expect.stringMatching(/^\d+-\d+$/) });
      expect(await read(newest.at(-1)?.id)).toEqual([]);
      await node.journal.write(entry(6));
      expect((await read(newest[0]?.id, 2)).map((each) => each.n)).toEqual([4, 5]);
      expect((await read('0-0')).map((each) => each.n)).toEqual([1, 2, 3, 4, 5, 6]);
    });

    test('keeps a bounded number of them', async () => {
      await open();
      for (let n = 0; n < JOURNAL_ENTRIES_MAX + 5; n++) await node.journal.write(entry(n));
      const kept = await read('0-0', 2 * JOURNAL_ENTRIES_MAX);
      expect(kept).toHaveLength(JOURNAL_ENTRIES_MAX);
      expect(kept[0]?.n).toBe(5);
    });
  });
}

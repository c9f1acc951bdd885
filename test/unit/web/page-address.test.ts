import { expect, test } from 'vitest';

import { readPageAddress, roomLink } from '../../../services/web/page-address.ts';

const read = (search: string) => readPageAddress({ search, origin: 'https://here.example' });

test('the node is where the page came from, unless the link names others', () => {
  expect(read('').nodes).toEqual(['https://here.example']);
  expect(read('?nodes=http://one:3001,https://two.example/page').nodes).toEqual([
    'http://one:3001',
    'https://two.example',
  ]);
});

test('what is no web address is no node', () => {
  expect(read('?nodes=javascript:alert(1),,ftp://one,two').nodes).toEqual(['https://here.example']);
});

test("a room's link keeps the nodes and names no person", () => {
  const href = 'https://here.example/?room=old&name=Wei&autojoin=1&nodes=https://two.example';
  const link = new URL(roomLink({ href }, 'blue & 玉'));
  expect(Object.fromEntries(link.searchParams)).toEqual({
    room: 'blue & 玉',
    nodes: 'https://two.example',
  });
});

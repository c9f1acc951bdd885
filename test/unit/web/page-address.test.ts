import { expect, test } from 'vitest';

import { readPageAddress, roomLink } from '../../../services/web/page-address.ts';

const read = (search: string, hash = '') => readPageAddress({ search, hash, origin: 'https://here.example' });

test('the node is where the page came from, unless the link names others', () => {
  expect(read('').nodes).toEqual(['https://here.example']);
  expect(read('?nodes=http://one:3001,https://two.example/page').nodes).toEqual([
    'http://one:3001',
    'https://two.example',
  ]);
});

test('a region goes with the nodes, and not with the link for others', () => {
  expect(read('?region=beijing').nodes).toEqual(['https://here.example/?region=beijing']);
  expect(read('?nodes=http://one,http://two&region=a%26b').nodes).toEqual([
    'http://one/?region=a%26b',
    'http://two/?region=a%26b',
  ]);
  expect(roomLink({ href: 'https://here.example/?region=beijing' }, 'blue')).toBe(
    'https://here.example/?room=blue',
  );
});

test('what is no web address is no node', () => {
  expect(read('?nodes=javascript:alert(1),,ftp://one,two').nodes).toEqual(['https://here.example']);
});

test('nodes of another origin than the page are named, each once, and no more than one can read', () => {
  const foreign = (search: string) => read(search).foreignNodes;
  expect(foreign('')).toEqual([]);
  expect(foreign('?nodes=https://here.example/x,HTTPS://HERE.example:443')).toEqual([]);
  expect(foreign('?nodes=https://here.example,http://here.example,https://here.example:8443')).toEqual([
    'http://here.example',
    'https://here.example:8443',
  ]);
  expect(foreign('?nodes=https://here.example@evil.example/,https://evil.example')).toEqual([
    'https://evil.example',
  ]);
  expect(foreign('?nodes=https://h\u{435}re.example&region=a')).toEqual(['https://xn--hre-rdd.example']);
  const many = Array.from({ length: 40 }, (_, index) => `https://${index}.example`);
  expect(read(`?nodes=${many}`).nodes).toEqual(many.slice(0, 16));
  expect(foreign(`?nodes=${many}`)).toEqual(many.slice(0, 16));
});

test('a token comes with the fragment, which no server sees, or with the query', () => {
  expect([read('').token, read('?token=a.b-c_d').token, read('?token=old', '#token=a.b-c_d').token]).toEqual([
    undefined,
    'a.b-c_d',
    'a.b-c_d',
  ]);
});

test("a room's link keeps the nodes, names no person, and has nobody's token", () => {
  const href =
    'https://here.example/?room=old&name=Wei&autojoin=1&nodes=https://two.example&token=mine#token=mine';
  const link = new URL(roomLink({ href }, 'blue & 玉'));
  expect(Object.fromEntries(link.searchParams)).toEqual({
    room: 'blue & 玉',
    nodes: 'https://two.example',
  });
  expect(link.href).not.toContain('mine');
});

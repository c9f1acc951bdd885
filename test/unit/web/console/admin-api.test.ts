import { expect, test } from 'vitest';

import { AdminApi } from '../../../../services/web/console/admin-api.ts';

/** An API whose requests are kept, and answered with one text. */
function apiThatHears(status: number, text: string) {
  const asked: { url: string; init: RequestInit }[] = [];
  const api = new AdminApi('secret', async (url, init = {}) => {
    asked.push({ url: String(url), init });
    return new Response(text, { status });
  });
  return { api, asked };
}

test('the token goes in a header, never in an address', async () => {
  const { api, asked } = apiThatHears(200, '{"ok":true,"nodes":[]}');
  expect(await api.nodes()).toEqual({ ok: true, nodes: [] });
  expect(asked[0]?.url).toBe('/admin/v1/nodes');
  expect(new Headers(asked[0]?.init.headers).get('authorization')).toBe('Bearer secret');
});

test('names of rooms and nodes stay one part of the address, whatever is in them', async () => {
  const { api, asked } = apiThatHears(200, '{"ok":true,"peers":[]}');
  await api.room('a/b?c#玉@beijing');
  await api.room('..');
  await api.drain('../nodes', '');
  expect(asked.map(({ url }) => url)).toEqual([
    '/admin/v1/room?room=a%2Fb%3Fc%23%E7%8E%89%40beijing',
    '/admin/v1/room?room=..',
    '/admin/v1/nodes/..%2Fnodes/drain',
  ]);
});

test('a filter, an order and a page go into the query', async () => {
  const { api, asked } = apiThatHears(200, '{"ok":true,"rooms":[],"total":0}');
  await api.rooms({ filter: 'a&b', sort: 'name', limit: 50, cursor: 'x=' });
  await api.rooms({ filter: '', sort: 'size', limit: 1 });
  expect(asked.map(({ url }) => url)).toEqual([
    '/admin/v1/rooms?sort=name&limit=50&filter=a%26b&cursor=x%3D',
    '/admin/v1/rooms?sort=size&limit=1',
  ]);
});

test('a refusal keeps its code and its words', async () => {
  const { api } = apiThatHears(
    404,
    '{"ok":false,"error":{"code":"room_not_found","message":"No such room."}}',
  );
  expect(await api.room('blue')).toEqual({ ok: false, code: 'room_not_found', message: 'No such room.' });
});

test.each([
  ['a page of a proxy', 502, '<h1>Bad Gateway</h1>'],
  ['a code that is unknown', 418, '{"ok":false,"error":{"code":"teapot","message":"?"}}'],
  ['a success without its list', 200, '{"ok":true}'],
  ['null', 200, 'null'],
])('%s is no answer of the API', async (_, status, text) => {
  expect(await apiThatHears(status, text).api.nodes()).toMatchObject({ ok: false, code: 'unreadable' });
});

test('a node that does not answer is unreachable, and nothing is thrown', async () => {
  const api = new AdminApi('secret', () => Promise.reject(new TypeError('failed to fetch')));
  expect(await api.nodes()).toMatchObject({ ok: false, code: 'unreachable' });
});

test('a token that no header can hold is a wrong one, and is not sent', async () => {
  const api = new AdminApi('令牌', () => expect.unreachable());
  expect(await api.nodes()).toMatchObject({ ok: false, code: 'unauthorized' });
});

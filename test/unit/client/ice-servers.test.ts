import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { MeshCall, type PeerId } from '../../../services/client/index.ts';
import { joined, passMs, peer, snapshot } from './fake-cluster.ts';
import { asConnection, FakeConnection } from './fake-connection.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Credentials of coturn's REST scheme, as nodes issue them now. */
function serversFor(lifeS: number) {
  const end = Math.floor(Date.now() / 1_000) + lifeS;
  return [{ urls: ['turn:turn.example'], username: `${end}:wei`, credential: `for ${end}` }];
}

function reply(body: unknown, status = 200) {
  return new Response(JSON.stringify(body), { status });
}

/** Wei's call with Ana, with credentials of ten minutes, and what `GET /ice` is asked. */
async function inCall(
  answer: () => Response | Promise<Response> = () => reply({ ice_servers: serversFor(600) }),
) {
  const asked = vi.fn(async (_url: URL, _init: RequestInit) => answer());
  const scene = await joined({ token: 'pass', fetch: asked as unknown as typeof fetch });
  const made: FakeConnection[] = [];
  const createConnection = (configuration: RTCConfiguration) => {
    const connection = new FakeConnection(`${made.length}`);
    connection.configuration = { ...configuration, iceTransportPolicy: 'relay' };
    made.push(connection);
    return asConnection(connection);
  };
  const first = serversFor(600);
  scene.connection.hear('resync', {
    complete: true,
    ...snapshot('wei', 7, [peer('ana', 3)]),
    ice_servers: first,
  });
  const call = new MeshCall(scene.session, { createConnection });
  await passMs(1);
  const description = { type: 'answer', sdp: 'v=0' } as const;
  scene.connection.hear('signal', { seq: 8, from: 'ana' as PeerId, description });
  await passMs(2);
  return { ...scene, call, made, asked, first };
}

test('what a snapshot brings is for the connections that are there, too, which keep their other settings', async () => {
  const { connection, made, first, session } = await inCall();
  expect(made[0]?.configuration.iceServers).toEqual(first);
  const next = serversFor(1_200);
  connection.hear('resync', { complete: false, ...snapshot('wei', 9, [peer('ana', 3)]), ice_servers: next });
  expect(made[0]?.configuration).toEqual({
    bundlePolicy: 'max-bundle',
    iceServers: next,
    iceTransportPolicy: 'relay',
  });
  expect(session.iceServers).toEqual(next);
});

test('fresh credentials are used as they are', async () => {
  const { call, connection, asked, made } = await inCall();
  await passMs(299_000);
  connection.hear('peer_joined', { seq: 20, peer: peer('max', 20) });
  call.restartIce();
  expect([asked.mock.calls.length, made.length, made[0]?.restarts]).toEqual([0, 2, 1]);
});

test('those past half of their life are fetched anew, once, before anybody is offered anything', async () => {
  const answer = Promise.withResolvers<Response>();
  const { connection, asked, made } = await inCall(() => answer.promise);
  await passMs(301_000);
  for (const id of ['max', 'lin'])
    connection.hear('peer_joined', { seq: id === 'max' ? 20 : 21, peer: peer(id, 1) });
  await passMs(100);
  expect(made.slice(1).map(({ log }) => log)).toEqual([[], []]);
  const [url, init] = asked.mock.calls[0] ?? [];
  expect([url?.href, init?.headers]).toEqual(['http://one/ice', { authorization: 'Bearer pass' }]);

  const next = serversFor(600);
  answer.resolve(reply({ ice_servers: next, ttl_s: 600 }));
  await passMs(10);
  expect(made.map(({ configuration }) => configuration.iceServers)).toEqual([next, next, next]);
  expect(made.slice(1).map(({ log }) => log)).toEqual([['local offer'], ['local offer']]);
  expect(asked).toHaveBeenCalledTimes(1);
});

test('how long they are good counts from the receipt, whatever the clock here says', async () => {
  const { connection, call, asked } = await inCall();
  // The clock here is two hours slow: by it they would be good for as long.
  connection.hear('resync', {
    complete: true,
    ...snapshot('wei', 9, [peer('ana', 3)]),
    ice_servers: serversFor(7_200 + 600),
    ttl_s: 600,
  });
  await passMs(299_000);
  call.restartIce();
  expect(asked).not.toHaveBeenCalled();
  await passMs(2_000);
  call.restartIce();
  expect(asked).toHaveBeenCalledTimes(1);
});

test('an ICE restart waits for them, too', async () => {
  const { call, made, asked } = await inCall();
  await passMs(400_000);
  call.restartIce('ana' as PeerId);
  expect(made[0]?.restarts).toBe(0);
  await passMs(10);
  expect([made[0]?.restarts, asked.mock.calls.length]).toEqual([1, 1]);
});

test.each([
  ['refuses', () => reply({ ok: false }, 401)],
  ['answers something else', () => reply({ ice_servers: 'none' })],
  ['cannot be reached', () => Promise.reject(new TypeError('fetch failed'))],
])('a node that %s leaves those that are there in use, and is not asked again at once', async (_, answer) => {
  const { call, made, asked, first } = await inCall(answer);
  await passMs(400_000);
  call.restartIce();
  await passMs(10);
  call.restartIce();
  await passMs(10);
  expect([made[0]?.restarts, asked.mock.calls.length]).toEqual([2, 1]);
  expect(made[0]?.configuration.iceServers).toEqual(first);
  await passMs(10_000);
  call.restartIce();
  expect(asked).toHaveBeenCalledTimes(2);
});

test('servers without an end are never asked for again', async () => {
  const { connection, call, asked } = await inCall();
  const ice_servers = [{ urls: 'stun:stun.example' }, { urls: 'turn:t', username: 'wei', credential: 'c' }];
  connection.hear('resync', { complete: true, ...snapshot('wei', 9, [peer('ana', 3)]), ice_servers });
  await passMs(10_000_000);
  call.restartIce();
  expect(asked).not.toHaveBeenCalled();
});

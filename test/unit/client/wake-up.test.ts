import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';

import { MeshCall, type PeerId } from '../../../services/client/index.ts';
import { joined, passMs, peer } from './fake-cluster.ts';
import { asConnection, FakeConnection } from './fake-connection.ts';

const page = {
  window: new EventTarget(),
  document: Object.assign(new EventTarget(), { visibilityState: 'visible' }),
  navigator: { connection: new EventTarget() },
};

beforeEach(() => {
  vi.useFakeTimers();
  for (const [name, value] of Object.entries(page)) vi.stubGlobal(name, value);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Wei's call with Ana, which was connected and whose path is gone since an attempt that is under way. */
async function withoutPath() {
  const scene = await joined();
  const made: FakeConnection[] = [];
  const call = new MeshCall(scene.session, {
    createConnection: () => {
      const connection = new FakeConnection('wei');
      made.push(connection);
      return asConnection(connection);
    },
  });
  await passMs(1);
  const answer = { from: 'ana' as PeerId, description: { type: 'answer', sdp: 'v=0' } } as const;
  scene.connection.hear('signal', { seq: 8, ...answer });
  await passMs(2);
  const [connection] = made as [FakeConnection];
  expect(call.stateOf('ana' as PeerId)?.phase).toBe('connected');
  connection.setPath('disconnected');
  await passMs(1_500);
  expect(connection.restarts).toBe(0);
  return { ...scene, call, link: connection };
}

describe('a path that is not there is looked for at once when', () => {
  test.each<[string, () => unknown]>([
    ['the network is back', () => page.window.dispatchEvent(new Event('online'))],
    ['the network is another one', () => page.navigator.connection.dispatchEvent(new Event('change'))],
    ["the page comes out of the browser's cache", () => page.window.dispatchEvent(new Event('pageshow'))],
    ['somebody looks at the page', () => page.document.dispatchEvent(new Event('visibilitychange'))],
  ])('%s', async (_, happen) => {
    const { link, call } = await withoutPath();
    happen();
    expect(link.restarts).toBe(1);
    call.close();
    happen();
    expect(link.restarts).toBe(1);
  });

  test('a timer fires far too late: the machine has slept', async () => {
    const { link } = await withoutPath();
    vi.setSystemTime(Date.now() + 40_000);
    await passMs(2_001);
    expect(link.restarts).toBe(1);
  });

  test('the session is resumed', async () => {
    const { cluster, connection, link } = await withoutPath();
    connection.lose();
    (await cluster.opened(2)).resume(0);
    await passMs(1);
    expect(link.restarts).toBe(1);
  });

  test('the other one has a connection again', async () => {
    const { connection, link } = await withoutPath();
    connection.hear('peer_updated', { seq: 9, peer: { ...peer('ana', 3), connected: false } });
    await passMs(20_000);
    expect(link.restarts).toBe(0);
    connection.hear('peer_updated', { seq: 10, peer: peer('ana', 3) });
    expect(link.restarts).toBe(1);
  });
});

test.each<[string, (scene: Awaited<ReturnType<typeof withoutPath>>) => void]>([
  [
    'the other one changes something else',
    ({ connection }) =>
      connection.hear('peer_updated', { seq: 9, peer: { ...peer('ana', 3), metadata: { hand: true } } }),
  ],
  [
    'the speed of the network is estimated anew',
    () => page.navigator.connection.dispatchEvent(new Event('change')),
  ],
])('an attempt that is under way is left alone when %s', async (_, happen) => {
  Object.assign(page.navigator.connection, { type: 'wifi' });
  onTestFinished(() => void Object.assign(page.navigator.connection, { type: undefined }));
  const scene = await withoutPath();
  happen(scene);
  expect(scene.link.restarts).toBe(0);
});

test('timers that fire in time wake nothing', async () => {
  const { link } = await withoutPath();
  await passMs(2_000);
  expect(link.restarts).toBe(0);
});

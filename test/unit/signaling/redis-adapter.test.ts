import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { adapterClient } from '../../../services/signaling/backplane/redis/adapter.ts';
import { redisKeys } from '../../../services/signaling/backplane/redis/keys.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The client that the adapter is given, and the commands that come of what it asks for. */
function openScene() {
  const sent: string[] = [];
  const seen: string[] = [];
  const send = async (...channels: string[]) => void sent.push(channels.join(' '));
  const subscriber = Object.assign(new EventEmitter(), {
    isCluster: false,
    ssubscribe: send,
    sunsubscribe: send,
  });
  const publisher = { spublish: async (channel: string) => void sent.push(`to ${channel}`) };
  const client = adapterClient(
    { adapterPublisher: publisher, adapterSubscriber: subscriber } as never,
    redisKeys('test'),
    {
      adapterFailed: (error) => void seen.push(error.message),
      malformed: (what) => void seen.push(what),
      failed: (task) => void seen.push(`${task} failed`),
    },
  );
  const heard: unknown[] = [];
  const hear = (message: Buffer) => void heard.push(JSON.parse(message.toString()));
  const arrive = (channel: string, message: unknown) =>
    subscriber.emit(
      'smessageBuffer',
      Buffer.from(channel),
      Buffer.isBuffer(message) ? message : Buffer.from(JSON.stringify(message)),
    );
  return { client, subscriber, publisher, sent, seen, heard, hear, arrive };
}

describe('the subscriptions of the adapter', () => {
  test('one channel is subscribed to by the end of the turn; in a crowd, those of twenty milliseconds are one command', () => {
    const { client, hear, sent } = openScene();
    void client.sSubscribe('first', hear);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual(['first']);
    for (const channel of ['a', 'b', 'c']) {
      void client.sSubscribe(channel, hear);
      vi.advanceTimersByTime(5);
    }
    expect(sent).toEqual(['first']);
    vi.advanceTimersByTime(5);
    expect(sent).toEqual(['first', 'a b c']);
  });

  test('a channel that is let go meanwhile is not subscribed to, and all others anew when the connection is', () => {
    const { client, hear, subscriber, sent } = openScene();
    for (const channel of ['a', 'b', 'c']) void client.sSubscribe(channel, hear);
    void client.sUnsubscribe('b');
    vi.advanceTimersByTime(1);
    expect(sent).toEqual(['a c', 'b']);
    subscriber.emit('ready');
    expect(sent.at(-1)).toBe('a c');
  });

  test('the parts of a room share its channel, until the last of them is let go', async () => {
    const { client, hear, sent } = openScene();
    for (const part of ['#', '/ann#', '/bob#']) void client.sSubscribe(`test:io#/#r:main:x${part}`, hear);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual(['test:io#/#r:main:x#']);
    await client.sPublish('test:io#/#r:main:x/bob#', '{}');
    expect(sent.at(-1)).toBe('to test:io#/#r:main:x#');
    for (const part of ['#', '/ann#']) void client.sUnsubscribe(`test:io#/#r:main:x${part}`);
    vi.advanceTimersByTime(50);
    expect(sent).toHaveLength(2);
    void client.sUnsubscribe('test:io#/#r:main:x/bob#');
    vi.advanceTimersByTime(50);
    expect(sent.at(-1)).toBe('test:io#/#r:main:x#');
  });

  test('what Redis does not take is counted, and rejects nothing', async () => {
    const { client, publisher, seen } = openScene();
    publisher.spublish = async () => {
      throw new Error('away');
    };
    await client.sPublish('channel', '{}');
    expect(seen).toEqual(['away']);
  });
});

const ROOM = 'test:io#/#r:main:x#';
const ALL = 'test:io#/#';
const said = { from: 'ann', topic: 'cursor', data: { x: 1 } };
const toRoom = (room = 'r:main:x', data: unknown = ['message', said]) => ({
  uid: '00112233aabbccdd',
  nsp: '/',
  type: 3,
  data: { packet: { type: 2, data, nsp: '/' }, opts: { rooms: [room], except: ['socket'], flags: {} } },
});
const toServers = (packet: unknown[], more: object = {}) => ({
  uid: '00112233aabbccdd',
  nsp: '/',
  type: 9,
  data: { packet, ...more },
});

describe('what the adapter hears', () => {
  function listening() {
    const scene = openScene();
    for (const channel of [ALL, ROOM, 'test:io#/#r:main:x/bob#'])
      void scene.client.sSubscribe(channel, scene.hear);
    return scene;
  }

  test('is an ephemeral message of its room, or of a part of that', () => {
    const { arrive, heard, seen } = listening();
    arrive(ROOM, toRoom());
    arrive(ROOM, toRoom('r:main:x/bob'));
    expect(heard).toHaveLength(2);
    expect(seen).toEqual([]);
  });

  test.each(['fenghuo:announce', 'fenghuo:announced'])('is the server-side event %s', (name) => {
    const { arrive, heard, seen } = listening();
    arrive(ALL, toServers([name, { id: 'a' }]));
    expect(heard).toHaveLength(1);
    expect(seen).toEqual([]);
  });

  test.each<[string, string, unknown]>([
    ['no server-side connection', ALL, toServers(['connection', {}])],
    ['no server-side error', ALL, toServers(['error', {}])],
    [
      'no server-side event that wants an answer',
      ALL,
      toServers(['fenghuo:announce', {}], { requestId: 'x' }),
    ],
    ['no broadcast to all', ALL, toRoom()],
    ['no server-side event on the channel of a room', ROOM, toServers(['fenghuo:announce', {}])],
    ['no message to another room', ROOM, toRoom('r:main:y')],
    ['no other event', ROOM, toRoom(undefined, ['removed', { reason: 'kicked' }])],
    ['no message with a seq', ROOM, toRoom(undefined, ['message', { ...said, seq: 7 }])],
    ['no message without data', ROOM, { ...toRoom(), data: undefined }],
    ['no order to disconnect sockets', ALL, { ...toRoom(), type: 6, data: { opts: {}, close: true } }],
    ['no MessagePack', ALL, Buffer.from([0xc0])],
    ['nothing of nothing', ALL, Buffer.alloc(0)],
    ['nothing that is huge', ROOM, toRoom(undefined, ['message', { ...said, data: 'x'.repeat(600_000) }])],
  ])('is %s', (_, channel, message) => {
    const { arrive, heard, seen } = listening();
    arrive(channel, message);
    expect(heard).toEqual([]);
    expect(seen).toEqual(['adapter_message']);
  });

  test('ends in its client where the adapter throws', () => {
    const { client, arrive, seen } = openScene();
    void client.sSubscribe(ALL, () => {
      throw new Error('believed it');
    });
    arrive(ALL, toServers(['fenghuo:announce', {}]));
    expect(seen).toEqual(['adapter failed']);
  });
});

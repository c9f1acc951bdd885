import { hash } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { SCRIPTS } from '../../services/signaling/backplane/redis/scripts.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connect, type PlainClient } from '../support/plain-client.ts';

const refusedWith = (code: string) => ({ ok: false, error: { code } });

const people: PlainClient[] = [];
afterEach(() => {
  for (const each of people.splice(0)) each.close();
});

describe.each([
  ['Redis', { backplane: 'redis' }],
  ['memory', { backplane: 'memory' }],
] as const)('a room on two nodes over %s', (_, options) => {
  let cluster: TestCluster;
  let rooms = 0;
  beforeAll(async () => {
    cluster = await startCluster(options);
  });
  afterAll(() => cluster?.stop());

  async function person(node: 0 | 1): Promise<PlainClient> {
    const client = await connect(cluster.nodes[node].url);
    people.push(client);
    return client;
  }

  /** Ann, who is host, on one node, and Bob on the other. */
  async function pair() {
    const room = `room-${rooms++}`;
    const [ann, bob] = [await person(0), await person(1)];
    const annJoin = await ann.join(room, { name: 'Ann' });
    const bobJoin = await bob.join(room, { name: 'Bob' });
    await ann.next('peer_joined');
    return { room, ann, bob, annJoin, bobJoin, annId: annJoin.self.id, bobId: bobJoin.self.id };
  }

  test('that is locked lets nobody in on either node, and everybody back who is in', async () => {
    const { room, ann, bob, bobJoin, annJoin } = await pair();
    const key = 'the key of a join whose answer was lost';
    const carol = await person(0);
    const { self } = await carol.join(room, { name: 'Carol', key });
    await bob.next('peer_joined');
    expect(await ann.request('moderate', { action: 'lock' })).toEqual({ ok: true, seq: 4 });
    for (const client of [ann, bob, carol])
      expect(await client.next('room_updated')).toEqual({ seq: 4, room: { ...annJoin.room, locked: true } });
    const late = [await person(0), await person(1)] as const;
    for (const client of late)
      expect(await client.ask('join', { id: 1, room, name: 'Dan' })).toMatchObject(
        refusedWith('room_locked'),
      );

    bob.socket.io.engine.close();
    expect(await ann.next('peer_joined')).toMatchObject({ peer: { name: 'Carol' } });
    expect(await ann.next('peer_updated')).toMatchObject({ peer: { connected: false } });
    expect(await (await person(0)).resume(bobJoin)).toMatchObject({ ok: true, recovered: true });
    const again = await (await person(1)).join(room, { name: 'Carol', key });
    expect(again).toMatchObject({ self: { id: self.id }, room: { locked: true } });

    expect(await ann.request('moderate', { action: 'unlock' })).toMatchObject({ ok: true });
    for (const client of late) expect((await client.join(room)).room.locked).toBe(false);
  });

  test('that is closed ends for all, each of whom hears it last, and no peer_left is sent', async () => {
    const { room, ann, bob, annId, bobJoin, annJoin } = await pair();
    const carol = await person(1);
    await carol.join(room, { name: 'Carol' });
    await ann.request('moderate', { action: 'close' });
    for (const client of [ann, bob, carol]) {
      expect(await client.next('removed')).toEqual({ reason: 'closed', by: annId });
      await eventually(() => client.socket.disconnected, { what: 'a closed connection' });
      expect(client.received.at(-1)?.name).toBe('removed');
      expect(client.all('peer_left')).toEqual([]);
    }
    const [one, other] = [await person(0), await person(1)];
    for (const former of [bobJoin, annJoin])
      expect(await other.resume(former)).toMatchObject(refusedWith('session_expired'));
    const anew = await one.join(room, { name: 'Bob' });
    expect(anew).toMatchObject({ seq: 1, peers: [], self: { role: 'host' } });
    expect(anew.epoch).toBeGreaterThan(bobJoin.epoch);
    expect((await other.join(room)).peers).toMatchObject([{ name: 'Bob' }]);
  });

  test('whose host closes it answers him before it sends him away, whatever else he asked for', async () => {
    for (let n = 0; n < 10; n++) {
      const { ann, bob } = await pair();
      const heard: string[] = [];
      ann.socket.on('removed', () => heard.push('removed'));
      ann.socket.emit('message', { id: 2, topic: 'chat', data: 1 }, () => heard.push('message'));
      ann.socket.emit('moderate', { id: 3, action: 'close' }, (reply: { ok: boolean }) =>
        heard.push(reply.ok ? 'ok' : 'refused'),
      );
      await eventually(() => ann.socket.disconnected, { what: 'a closed connection' });
      expect(heard).toEqual(['message', 'ok', 'removed']);
      await bob.next('removed');
    }
  });

  test('whose name is used anew at once keeps the former members out of what is new', async () => {
    const { room, ann, bob, annId } = await pair();
    const carol = await person(1);
    await ann.request('moderate', { action: 'close' });
    const joined = await carol.join(room, { name: 'Carol' });
    expect(joined).toMatchObject({ seq: 1, peers: [] });
    await carol.request('message', { topic: 'chat', data: 'new' });
    expect(await bob.next('removed')).toEqual({ reason: 'closed', by: annId });
    expect(bob.all('message')).toEqual([]);
    expect(carol.all('removed')).toEqual([]);
    expect(await carol.request('message', { topic: 'chat', data: 1, echo: true })).toMatchObject({
      ok: true,
    });
    expect(await carol.next('message')).toMatchObject({ data: 1 });
  });

  test('whose host leaves has the next one for a host, who may do what hosts may', async () => {
    const { room, ann, bob, bobId, annId } = await pair();
    const carol = await person(0);
    const { self } = await carol.join(room, { name: 'Carol' });
    await ann.request('leave');
    for (const client of [bob, carol]) {
      expect(await client.next('peer_left')).toMatchObject({ peer: annId, reason: 'left' });
      expect(await client.next('peer_updated')).toMatchObject({
        peer: { id: bobId, role: 'host', joined_seq: 2, connected: true },
      });
    }
    expect(await bob.request('moderate', { action: 'kick', peer: self.id })).toMatchObject({ ok: true });
    expect(await carol.next('removed')).toEqual({ reason: 'kicked', by: bobId });
    // Who was host is not again by coming back.
    expect((await ann.join(room, { name: 'Ann' })).self.role).toBe('speaker');
  });

  test('whose host loses only the connection keeps that host', async () => {
    const { ann, bob, annId, annJoin } = await pair();
    ann.socket.io.engine.close();
    expect(await bob.next('peer_updated')).toMatchObject({
      peer: { id: annId, connected: false, role: 'host' },
    });
    const back = await person(1);
    expect(await back.resume(annJoin)).toMatchObject({ recovered: true });
    expect(await bob.next('peer_updated')).toMatchObject({
      peer: { id: annId, connected: true, role: 'host' },
    });
    expect(await back.request('moderate', { action: 'lock' })).toMatchObject({ ok: true });
    expect(bob.all('peer_updated')).toHaveLength(2);
  });

  test('that has ended keeps nothing: neither lock nor ban nor mute', async () => {
    const { room, ann, bob, bobId } = await pair();
    const carol = await person(1);
    const { self } = await carol.join(room, { name: 'Carol' });
    await ann.request('moderate', { action: 'mute', peer: '*', kinds: ['audio'] });
    await ann.request('moderate', { action: 'ban', peer: self.id });
    await ann.request('moderate', { action: 'kick', peer: bobId });
    await ann.request('moderate', { action: 'lock' });
    await ann.request('leave');
    await bob.next('removed');
    const again = await person(0);
    expect(await again.join(room, { name: 'Carol' })).toMatchObject({
      room: { locked: false },
      self: { role: 'host', muted: [] },
    });
    expect((await (await person(1)).join(room, { name: 'Bob' })).self.muted).toEqual([]);
  });
});

/** The count of those who come in from an address, which is asked for beside the name of the room. */
const ENTRY = 'an entry of an address';

describe('what a join costs at Redis', () => {
  const names = new Map(Object.entries(SCRIPTS).map(([name, { sha }]) => [sha, name]));
  let cluster: TestCluster;
  let client: Redis;
  let monitor: Redis;
  let commands: string[] = [];
  beforeAll(async () => {
    cluster = await startCluster();
    client = new Redis(inject('redisUrl'));
    monitor = await client.monitor();
    monitor.on('monitor', (_, args: string[], source: string) => {
      const isOurs = args.some((arg) => arg.startsWith(cluster.keyPrefix));
      if (isOurs && source !== 'lua') commands.push(describeCommand(args));
    });
    // Scripts are sent whole the first time.
    for (const { url } of cluster.nodes) {
      const first = await connect(url);
      await first.join('warm');
      await first.request('message', { topic: 'chat', data: 1 });
      first.close();
    }
  });
  afterAll(async () => {
    monitor?.disconnect();
    client?.disconnect();
    await cluster?.stop();
  });

  function describeCommand([command = '', first = '', ...more]: string[]): string {
    const name = command.toLowerCase();
    if (more.some((arg) => arg.includes(':entries:'))) return ENTRY;
    if (name === 'eval') return `eval ${names.get(hash('sha1', first))}`;
    if (name === 'evalsha')
      return `evalsha ${names.get(first) ?? first}${more.includes('state') ? ' with the state' : ''}`;
    return `${name} ${first.slice(cluster.keyPrefix.length + 1).replace(/held:.*/, 'held')}`;
  }

  /** Those that belong to a join, and not to the beats and comparisons that go on all the time, nor to who was cut off before. */
  function ofJoin(all: readonly string[], room: string): string[] {
    const background = / (attest|lease|order|report|rooms|barrier|detach)$/;
    return all.filter(
      (each) =>
        !background.test(each) && (each === ENTRY || /evalsha|held/.test(each) || each.includes(`{${room}@`)),
    );
  }

  async function joins(room: string, node: 0 | 1, name = 'Ann'): Promise<string[]> {
    const person = await connect(cluster.nodes[node].url);
    people.push(person);
    commands = [];
    await person.join(room, { name });
    // What a reply would leave to be done after it is there with the next answer, at the latest.
    await person.request('message', { topic: 'chat', data: 1 });
    const fence = `fence-${Math.random()}`;
    await client.get(`${cluster.keyPrefix}:${fence}`);
    await eventually(() => commands.some((each) => each.includes(fence)), { what: 'all commands so far' });
    const seen = ofJoin(commands, room);
    expect(seen.at(-1)).toBe('evalsha relay');
    return seen.slice(0, -1);
  }

  test('on a node that hosts nobody of the room: one script behind the count of its address, which notes it in the index, subscribes, and brings the state', async () => {
    for (const node of [0, 1] as const)
      expect(await joins('blue', node, `p${node}`)).toEqual([ENTRY, 'evalsha join with the state']);
  });

  test('on a node that hosts the room already: one script, with all rules checked in it', async () => {
    await joins('red', 0, 'Ann');
    for (const name of ['Bob', 'Carol']) expect(await joins('red', 0, name)).toEqual([ENTRY, 'evalsha join']);
  });

  test('one that is refused costs no more', async () => {
    await joins('green', 0, 'Ann');
    const ann = people.at(-1) as PlainClient;
    await ann.request('moderate', { action: 'lock' });
    const late = await connect(cluster.nodes[0].url);
    people.push(late);
    commands = [];
    expect(await late.ask('join', { id: 1, room: 'green' })).toMatchObject(refusedWith('room_locked'));
    await ann.request('moderate', { action: 'unlock' });
    await eventually(() => commands.includes('evalsha moderate'), { what: 'all commands so far' });
    expect(ofJoin(commands, 'green').filter((each) => !each.includes('moderate'))).toEqual([
      ENTRY,
      'evalsha join',
    ]);
  });
});

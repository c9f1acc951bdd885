import { type PeerId, ROOM_METADATA_BYTES_MAX } from '@fenghuo/protocol';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { roomId } from '../../services/signaling/domain/room-id.ts';
import { shareRedis } from '../support/redis-backplane.ts';
import { claimsContract } from './claims.contract.ts';
import { directoryContract } from './directory.contract.ts';
import { leasesContract } from './leases.contract.ts';
import { moderationContract } from './moderation.contract.ts';
import { newcomer } from './nodes.ts';
import { replicaContract } from './replica.contract.ts';
import { resumeContract } from './resume.contract.ts';
import { roomLogContract } from './room-log.contract.ts';

roomLogContract('a standalone Redis', () => shareRedis(inject('redisUrl')));
claimsContract('a standalone Redis', () => shareRedis(inject('redisUrl')));
leasesContract('a standalone Redis', () => shareRedis(inject('redisUrl')));
directoryContract('a standalone Redis', () => shareRedis(inject('redisUrl')));
resumeContract('a standalone Redis', () => shareRedis(inject('redisUrl')));
replicaContract('a standalone Redis', () => shareRedis(inject('redisUrl')));
moderationContract('a standalone Redis', () => shareRedis(inject('redisUrl')));

test('leases of other versions are read as far as they can be', async () => {
  const shared = await shareRedis(inject('redisUrl'));
  const [node, client] = [await shared.open(), new Redis(inject('redisUrl'))];
  onTestFinished(async () => {
    client.disconnect();
    await node.close();
  });
  await client.hset(`${shared.keyPrefix}:{home}:leases`, {
    oldest: '3 beijing-1',
    older: '4 beijing-2 12 +',
    newer: '5 beijing-3 12 - {"region":"mars","rooms":"many","unheard_of":{"a":"b c"}}',
    broken: '6 beijing-4 12 + {"region":',
  });
  const load = { connections: 0, isAdmitting: true };
  const taken = await node.leases.take({ incarnation: 'own', nodeId: 'own', load, order: undefined });
  const leases = new Map(taken.ok ? taken.value.leases.map((lease) => [lease.incarnation, lease]) : []);
  expect(leases.get('oldest')).toEqual({
    incarnation: 'oldest',
    nodeId: 'beijing-1',
    count: 3,
    isGivenUp: false,
  });
  expect(leases.get('older')?.load).toEqual({ connections: 12, isAdmitting: true });
  expect(leases.get('newer')?.load).toEqual({
    connections: 12,
    isAdmitting: false,
    report: { region: 'mars' },
  });
  expect(leases.get('broken')?.load).toEqual({ connections: 12, isAdmitting: true });
});

test('a lease or an order that is none is passed over, and the others are read', async () => {
  const shared = await shareRedis(inject('redisUrl'));
  const [node, client] = [await shared.open(), new Redis(inject('redisUrl'))];
  onTestFinished(async () => {
    client.disconnect();
    await node.close();
  });
  const leases = `${shared.keyPrefix}:{home}:leases`;
  await client.hset(leases, {
    empty: '',
    words: 'a b',
    huge: `${'9'.repeat(400)} c`,
    'no name': '1 d',
    good: '1 e',
  });
  await client.hset(leases, 'own', 'not a count');
  await client.hset(`${shared.keyPrefix}:{home}:orders`, 'own', '{"drain":"perhaps"}');
  const load = { connections: 0, isAdmitting: true };
  const holder = { incarnation: 'own', nodeId: 'own', load, order: undefined };
  const renewed = await node.leases.renew(holder);
  expect(renewed).toMatchObject({ ok: true, value: { order: undefined } });
  const seen = renewed.ok ? renewed.value.leases.map(({ incarnation }) => incarnation) : [];
  // And the one that sealed the home.
  expect(seen).toHaveLength(3);
  expect(seen).toEqual(expect.arrayContaining(['good', 'own']));
  expect(await client.hget(leases, 'own')).toMatch(/^1 own /);
});

test('rooms are listed to the end, whatever else stands in the directory', async () => {
  const shared = await shareRedis(inject('redisUrl'));
  const [node, client] = [await shared.open(), new Redis(inject('redisUrl'))];
  onTestFinished(async () => {
    client.disconnect();
    await node.close();
  });
  await node.directory.report([
    { room: roomId('blue', 'main'), size: 2 },
    { room: roomId('red', 'main'), size: 1 },
  ]);
  const bySize = `${shared.keyPrefix}:{home}:rooms-by-size`;
  for (let n = 0; n < 40; n++) await client.zadd(bySize, -10 - n, `garbage ${n}`, -9, Buffer.from([0xff, n]));
  await client.zadd(bySize, '-inf', 'green@main', -7, 'far@elsewhere');
  const query = { sort: 'size', after: undefined, limit: 2 } as const;
  expect(await node.directory.list(query)).toMatchObject({
    ok: true,
    value: { total: 2, rooms: [{ room: 'blue@main' }, { room: 'red@main' }] },
  });
});

test('the journal is read on behind whatever stands in it that is no fact', async () => {
  const shared = await shareRedis(inject('redisUrl'));
  const [node, client] = [await shared.open(), new Redis(inject('redisUrl'))];
  onTestFinished(async () => {
    client.disconnect();
    await node.close();
  });
  for (let n = 0; n < 30; n++)
    await client.xadd(`${shared.keyPrefix}:{home}:journal`, '*', 'e', '{"event":7}');
  await node.journal.write({ event: 'node_started', at: '2026-11-26T00:00:00.000Z', node: 'beijing-1' });
  expect(await node.journal.readAfter('0-0', 10)).toMatchObject({
    ok: true,
    value: [{ event: 'node_started' }],
  });
});

test('C7: a dead process is swept of all its rooms but the one that nobody can read', async () => {
  const shared = await shareRedis(inject('redisUrl'));
  const [node, client] = [await shared.open(), new Redis(inject('redisUrl'))];
  onTestFinished(async () => {
    client.disconnect();
    await node.close();
  });
  const held = `${shared.keyPrefix}:held:dead`;
  const rooms = Array.from({ length: 100 }, (_, n) => roomId(`room-${n}`, 'main'));
  await client.sadd(held, ...rooms, 'no room', Buffer.from([0xff]));
  await client.set(`${shared.keyPrefix}:{room-7@main}:state`, 'spoilt');
  const adopter = { incarnation: 'own', prepare: async () => true, adopt: () => {} };
  expect(await node.leases.sweep('dead', adopter)).toEqual({ ok: false, code: 'unavailable' });
  expect(await client.smembers(held)).toEqual(['room-7@main']);
});

test('H1: a claim that nobody keeps ends by itself, and who asks for a name takes no time from those who keep it', async () => {
  const shared = await shareRedis(inject('redisUrl'));
  const [node, client] = [await shared.open(), new Redis(inject('redisUrl'))];
  onTestFinished(async () => {
    client.disconnect();
    await node.close();
  });
  const minutesLeft = async () =>
    Math.round((await client.pttl(`${shared.keyPrefix}:{blue@}:state`)) / 60_000);
  await node.claims.claim('blue', 'beijing');
  expect(await minutesLeft()).toBe(2);
  await node.claims.renew('blue', 'beijing');
  expect(await minutesLeft()).toBe(24 * 60);
  await node.claims.claim('blue', 'shanghai');
  expect(await minutesLeft()).toBe(24 * 60);
  await node.claims.release('blue', 'beijing');
  expect(await minutesLeft()).toBe(1);
  await node.claims.claim('blue', 'shanghai');
  expect(await minutesLeft()).toBe(2);
});

test('D7: what lives on for its garbage net alone is kept by whoever hosts it, all keys of a room alike', async () => {
  const shared = await shareRedis(inject('redisUrl'));
  const [node, client] = [await shared.open(), new Redis(inject('redisUrl'))];
  onTestFinished(async () => {
    client.disconnect();
    await node.close();
  });
  const room = roomId('blue', 'main');
  await node.rooms.join(newcomer(room, { name: 'Ann' }));
  const keys = await client.keys(`${shared.keyPrefix}:*blue*`);
  expect(keys).toHaveLength(2);
  // Longer than any call is silent.
  for (const key of keys) expect(await client.pttl(key)).toBeGreaterThan(6 * 3_600_000);
  for (const key of keys) await client.pexpire(key, 60_000);
  expect(await node.rooms.attest([room])).toMatchObject({ ok: true });
  const [one = 0, other = 0] = await Promise.all(keys.map((key) => client.pttl(key)));
  expect(one).toBeGreaterThan(6 * 3_600_000);
  expect(Math.abs(one - other)).toBeLessThan(1_000);
});

test('R5: a room that ended leaves its end for two minutes and a little of its log for seconds, however much was said', async () => {
  const shared = await shareRedis(inject('redisUrl'));
  const [node, client] = [await shared.open(), new Redis(inject('redisUrl'))];
  onTestFinished(async () => {
    client.disconnect();
    await node.close();
  });
  const room = roomId('blue', 'main');
  const ann = { room, peer: 'ann' as PeerId, generation: 1 };
  await node.rooms.join(newcomer(room, { name: 'Ann', peer: ann.peer }));
  const body = JSON.stringify('x'.repeat(60_000));
  for (let id = 2; id < 40; id++)
    await node.rooms.relay(
      ann,
      { id, previousId: id - 1 },
      { type: 'message', to: undefined, echo: false, body },
    );
  await node.rooms.leave(ann, 'left', { id: 40, previousId: 39 });
  const keys = (await client.keys(`${shared.keyPrefix}:*blue*`)).sort();
  expect(keys).toEqual([`${shared.keyPrefix}:{${room}}:closed`, `${shared.keyPrefix}:{${room}}:last`]);
  const [closedMs = 0, lastMs = 0] = await Promise.all(keys.map((key) => client.pttl(key)));
  expect(closedMs).toBeGreaterThan(60_000);
  expect(closedMs).toBeLessThanOrEqual(120_000);
  expect(lastMs).toBeGreaterThan(5_000);
  expect(lastMs).toBeLessThanOrEqual(15_000);
  expect(await client.strlen(keys[1] as string)).toBeLessThan(20_000);
  expect(await node.rooms.readAfter(room, 39)).toMatchObject({
    value: { head: 40, records: [expect.stringContaining('"reason":"left"')] },
  });
  // Not even these are there for a name that is used anew.
  await node.rooms.join(newcomer(room, { name: 'Bob' }));
  expect(await node.rooms.readAfter(room, 0)).toMatchObject({ value: { head: 1, first: 1 } });
});

test('a room of a version that did not count its metadata has it counted by the first who joins', async () => {
  const shared = await shareRedis(inject('redisUrl'));
  const [node, client] = [await shared.open(), new Redis(inject('redisUrl'))];
  onTestFinished(async () => {
    client.disconnect();
    await node.close();
  });
  const room = roomId('blue', 'main');
  const join = (name: string, bytes: number) =>
    node.rooms.join(newcomer(room, { name, metadata: 'x'.repeat(bytes - 2) }));
  await join('Ann', ROOM_METADATA_BYTES_MAX - 100);
  await client.hdel(`${shared.keyPrefix}:{${room}}:state`, 'metadata');
  expect(await join('Bob', 101)).toEqual({ ok: false, code: 'too_large' });
  expect(await join('Bob', 100)).toMatchObject({ ok: true });
});

test('a room keeps bans and mutes of 4,096 people: more hold for the session, and lifted ones make room', async () => {
  const shared = await shareRedis(inject('redisUrl'));
  const [node, client] = [await shared.open(), new Redis(inject('redisUrl'))];
  onTestFinished(async () => {
    client.disconnect();
    await node.close();
  });
  const room = roomId('blue', 'main');
  const join = (name: string) => node.rooms.join(newcomer(room, { name, peer: name as PeerId }));
  const order = (action: 'mute' | 'unmute', name: string) =>
    node.rooms.intervene(room, { action, peer: name as PeerId, kinds: ['audio'] });
  for (const name of ['ann', 'bob', 'carol', 'dan']) await join(name);
  const [state = ''] = await client.keys(`${shared.keyPrefix}:*blue*:state`);
  // As if 4,095 had been banned and muted before.
  await client.hset(state, { banned: 4_095, muted: 4_095 });

  for (const peer of ['bob', 'carol'] as PeerId[]) await node.rooms.intervene(room, { action: 'ban', peer });
  expect(await join('bob')).toEqual({ ok: false, code: 'banned' });
  expect(await join('carol')).toMatchObject({ ok: true });

  for (const name of ['dan', 'carol']) await order('mute', name);
  const kept = () => client.hmget(state, 'muted', 'q:~dan', 'q:~carol');
  expect(await kept()).toEqual(['4096', '["audio"]', null]);
  const snapshot = await node.rooms.snapshot(room);
  expect(snapshot.ok && snapshot.value?.peers.map(({ name, muted }) => [name, muted])).toEqual([
    ['ann', []],
    ['dan', ['audio']],
    ['carol', ['audio']],
  ]);
  for (const name of ['carol', 'dan']) await order('unmute', name);
  expect(await kept()).toEqual(['4095', null, null]);
  await order('mute', 'carol');
  expect(await kept()).toEqual(['4096', null, '["audio"]']);
});

test('R2: who waits behind a barrier that is flushed away hears that, and enters the one that follows', async () => {
  const shared = await shareRedis(inject('redisUrl'));
  const [node, client] = [await shared.open(), new Redis(inject('redisUrl'))];
  onTestFinished(async () => {
    client.disconnect();
    await node.close();
  });
  const [, life = ''] = /master_replid:(\w+)/.exec(await client.info('replication')) ?? [];
  const flush = () =>
    client.unlink(`${shared.keyPrefix}:{home}:marker`, `${shared.keyPrefix}:{home}:barrier:${life}`);
  const { rebuilds } = node;
  rebuilds.onUnsealed = () => {};
  const enter = () => rebuilds.enter(life, { incarnation: 'ours', nodeId: 'node', hosts: true }, ['theirs']);
  const open = { ok: true, value: { isSealed: false } };
  await flush();
  expect(await enter()).toMatchObject(open);
  expect(await rebuilds.look(life, 'ours')).toMatchObject(open);
  await flush();
  expect(await rebuilds.look(life, 'ours')).toEqual({ ok: false, code: 'unavailable' });
  expect(await rebuilds.done(life, 'ours')).toEqual({ ok: false, code: 'unavailable' });
  // Somebody else has begun the next one, and expects us there.
  await rebuilds.enter(life, { incarnation: 'theirs', nodeId: 'node', hosts: true }, ['ours']);
  expect(await rebuilds.look(life, 'ours')).toEqual({ ok: false, code: 'unavailable' });
  expect(await enter()).toMatchObject(open);
  expect(await rebuilds.done(life, 'ours')).toMatchObject(open);
});

// The least that relays between nodes: `ws`, and one Redis channel per node. At most once, no order, no resume. As `ws-log`
// the least that besides keeps what was said, and says so to who said it.
import { Redis } from 'ioredis';
import { jwtVerify } from 'jose';
import { type WebSocket, WebSocketServer } from 'ws';

import { readTask, sayReady } from './task.ts';

const { kind, index, port, redisUrl, secret } = readTask();
const key = Buffer.from(secret);
const redis = new Redis(redisUrl);
const subscriber = redis.duplicate();
/** A peer's id is its node's number, a dot, and its own number there. */
const sockets = new Map<string, WebSocket>();
const batches = new Map<number, string[]>();
let count = 0;
const publish = { ws: plain, 'ws-batched': batched, 'ws-log': kept }[kind] ?? plain;

interface Entry {
  readonly node: number;
  readonly record: string;
  readonly room: string;
  readonly from: WebSocket | undefined;
}
let entries: Entry[] = [];

redis.defineCommand('append', {
  lua: `local out = {}
    for at, log in ipairs(KEYS) do
      local node, record = ARGV[2 * at - 1], ARGV[2 * at]
      redis.call('XADD', log, 'MAXLEN', 256, '*', 'r', record)
      local list = out[node] or {}
      out[node] = list
      list[#list + 1] = record
    end
    for node, list in pairs(out) do redis.call('PUBLISH', 'node:' .. node, table.concat(list)) end`,
});
const scripts = redis as unknown as { append(...args: (string | number)[]): Promise<unknown> };

interface Frame {
  readonly join?: string;
  readonly token?: string;
  readonly to?: string;
}

const server = new WebSocketServer({ port, host: '127.0.0.1', perMessageDeflate: false });
server.on('connection', (socket) => {
  count += 1;
  const id = `${index}.${count}`;
  let room: string | undefined;
  sockets.set(id, socket);
  socket.on('message', (data) => {
    const { to, ...frame } = JSON.parse(String(data)) as Frame;
    if (to !== undefined) return relay(to, JSON.stringify({ from: id, ...frame }), room ?? '', socket);
    room = frame.join;
    void join(id, socket, frame);
  });
  socket.on('close', () => {
    sockets.delete(id);
    if (room !== undefined) void redis.srem(room, id);
  });
});

async function join(id: string, socket: WebSocket, { join: room = '', token = '' }: Frame): Promise<void> {
  await jwtVerify(token, key, { algorithms: ['HS256'] });
  await redis.sadd(room, id);
  const peers = (await redis.smembers(room)).filter((each) => each !== id);
  socket.send(JSON.stringify({ joined: id, peers }));
  for (const peer of peers) relay(peer, JSON.stringify({ peer_joined: id }));
}

function relay(to: string, text: string, room = '', from?: WebSocket): void {
  const node = Number(to.slice(0, to.indexOf('.')));
  if (node === index) sockets.get(to)?.send(text);
  else publish(node, `${to} ${text}`, room, from);
}

function plain(node: number, record: string): void {
  void redis.publish(`node:${node}`, record);
}

/** Appended by the script that publishes it, those of one turn together; then its author hears of it. */
function kept(node: number, record: string, room: string, from: WebSocket | undefined): void {
  if (entries.push({ node, record, room, from }) === 1) setImmediate(append);
}

function append(): void {
  const batch = entries;
  entries = [];
  const rooms = batch.map(({ room }) => `log:${room}`);
  const args = batch.flatMap(({ node, record }) => [node, `${record.length}:${record}`]);
  void scripts.append(rooms.length, ...rooms, ...args).then(() => {
    for (const { from } of batch) from?.send('{"ok":true}');
  });
}

/** What came in one turn goes out as one message: records with a length before each. */
function batched(node: number, record: string): void {
  const batch = batches.get(node);
  if (batch !== undefined) return void batch.push(record);
  batches.set(node, [record]);
  if (batches.size === 1) setImmediate(flush);
}

function flush(): void {
  for (const [node, records] of batches) {
    void redis.publish(`node:${node}`, records.map((record) => `${record.length}:${record}`).join(''));
  }
  batches.clear();
}

function deliver(record: string): void {
  const end = record.indexOf(' ');
  sockets.get(record.slice(0, end))?.send(record.slice(end + 1));
}

function deliverBatch(text: string): void {
  for (let at = 0; at < text.length; ) {
    const colon = text.indexOf(':', at);
    const end = colon + 1 + Number(text.slice(at, colon));
    deliver(text.slice(colon + 1, end));
    at = end;
  }
}

subscriber.on('message', (_, text) => (kind === 'ws' ? deliver(text) : deliverBatch(text)));
await subscriber.subscribe(`node:${index}`);
sayReady();

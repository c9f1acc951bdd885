/**
 * What somebody with write access to Redis may leave there, as data: for the test that nodes live through all of it, and for
 * a fuzzer that changes it further.
 */

/** Names that stand for a key or a channel of the scene, and for texts in it: `<all>` is replaced by the scene's own. */
export interface Places {
  /** The adapter's channel of all nodes, and that of a room. */
  readonly all: string;
  readonly roomChannel: string;
  /** A node's own channel. */
  readonly node: string;
  /** The room that is spoilt, its socket.io room, and the keys that it has. */
  readonly room: string;
  readonly socketRoom: string;
  readonly state: string;
  readonly log: string;
  readonly closed: string;
  readonly restore: string;
  /** A member of it. */
  readonly peer: string;
  /** Of a node that lives: its process, and what it holds. */
  readonly incarnation: string;
  readonly held: string;
  /** Of a node that never was. */
  readonly deadHeld: string;
  readonly leases: string;
  readonly orders: string;
  readonly marker: string;
  readonly bySize: string;
  readonly byName: string;
  readonly journal: string;
}

/** A binary text as it is; in others `<place>` is replaced. */
export type Text = string | Buffer;

/** Fills the places in. */
export function filled(text: Text, places: Places): Text {
  if (typeof text !== 'string') return text;
  return text.replaceAll(/<(\w+)>/g, (whole, place: string) => places[place as keyof Places] ?? whole);
}

const message = (more: object) => JSON.stringify({ uid: 'x', nsp: '/', ...more });
const broadcast = (data: unknown, opts: unknown = { rooms: ['<socketRoom>'], except: [], flags: {} }) =>
  message({ type: 3, data: { packet: { type: 2, data, nsp: '/' }, opts } });
const serverEmit = (...packet: unknown[]) => message({ type: 9, data: { packet } });
const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** For each of the adapter's channels. */
export const ADAPTER_MESSAGES: readonly Text[] = [
  '{"uid":"x","nsp":"/","type":3}',
  Buffer.from([0xc0]),
  serverEmit('connection'),
  serverEmit('error'),
  serverEmit('connection', { id: 'x' }),
  serverEmit('error', { message: 'x' }),
  serverEmit('connect'),
  serverEmit('new_namespace', {}),
  serverEmit('fenghuo:announce'),
  serverEmit('fenghuo:announce', null),
  serverEmit('fenghuo:announce', {}),
  serverEmit('fenghuo:announce', { announcement: { id: 1 } }, 'more'),
  serverEmit('fenghuo:announced', { id: 'x', node: 'x', process: 'x', connections: -1 }),
  serverEmit(),
  serverEmit(null),
  message({ type: 9, data: { packet: 'connection' } }),
  message({ type: 9, data: { requestId: 'x', packet: ['fenghuo:announce', {}] } }),
  message({ type: 9, data: { packet: { length: 1, 0: 'connection' } } }),
  message({ type: 9 }),
  message({ type: 3, data: {} }),
  message({ type: 3, data: { packet: null, opts: null } }),
  message({
    type: 3,
    data: { requestId: 'x', packet: { data: [] }, opts: { rooms: [], except: [], flags: {} } },
  }),
  broadcast(['message', null]),
  broadcast(['removed', { reason: 'kicked' }]),
  broadcast(['connect_error', {}]),
  broadcast(['message', { from: 'x', topic: 't', data: 1, seq: 9007199254740991 }]),
  broadcast(['message', { from: 'x', topic: 't', data: { type: 'Buffer', data: [1] } }], { rooms: 7 }),
  broadcast(['message', { from: 'x', topic: 't', data: 1 }], { rooms: ['<socketRoom>'], except: 'x' }),
  broadcast(['message', { from: 'x', topic: 't', data: 1 }], { rooms: [], except: [], flags: {} }),
  broadcast([]),
  `{"uid":"x","nsp":"/","type":3,"data":{"packet":{"type":2,"data":["message",{"from":"x","topic":"t","data":${deep(20_000)}}]},"opts":{"rooms":["<socketRoom>"],"except":[],"flags":{}}}}`,
  message({ type: 4, data: { opts: { rooms: [], except: [] }, rooms: ['x'] } }),
  message({ type: 4 }),
  message({ type: 5, data: { opts: { rooms: [], except: [] }, rooms: null } }),
  message({ type: 6, data: { opts: { rooms: [], except: [] }, close: true } }),
  message({ type: 7, data: { opts: { rooms: [], except: [] }, requestId: 'x' } }),
  message({ type: 7 }),
  message({ type: 8, data: { requestId: 'x', sockets: null } }),
  message({ type: 10 }),
  message({ type: 11, data: null }),
  message({ type: 12 }),
  message({ type: 13 }),
  message({ type: 1 }),
  message({ type: '3', data: [] }),
  'null',
  '{}',
  '{',
  '[]',
  '',
  '"x"',
  '{"uid":"x","nsp":"/","type":1e999}',
  '{"__proto__":{"uid":"x"},"nsp":"/","type":9,"data":{"packet":["connection"]}}',
  Buffer.from([0x81, 0xa4]),
  Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff]),
  Buffer.from([0xc7, 0xff, 0x00]),
  Buffer.from('7b22ff', 'hex'),
  Buffer.alloc(1),
  Buffer.alloc(100_000, 0x5b),
];

const HEADER = '1 2 <peer> * 0 0 x 0';

/** For a node's own channel, and for the channel of a room on a Cluster. */
export const RINGS: readonly Text[] = [
  '',
  'R',
  'P',
  'Px',
  'P1e999',
  'P-1',
  'X',
  'R\n',
  'R\x1e',
  'R\n\x1e\n\x1e',
  'R<log>',
  'R<log>\n',
  'R<log>\nM',
  `R<log>\nM ${HEADER}\n`,
  `R<log>\nM ${HEADER}\nnull`,
  `R<log>\nM ${HEADER}\n{`,
  `R<log>\nJ ${HEADER}\n{}`,
  `R<log>\nJ ${HEADER}\n{"peer":null}\nnull`,
  `R<log>\nJ ${HEADER}\n{"peer":{"id":7}}\n{"g":"x"}`,
  `R<log>\nJ ${HEADER}\nnull\n[]`,
  `R<log>\nL ${HEADER}\n{"peer":"<peer>"}`,
  `R<log>\nL ${HEADER}\n{"peer":{},"reason":{}}`,
  `R<log>\nL ${HEADER}\n"x"\n7`,
  `R<log>\nU ${HEADER}\n{"peer":{"id":"<peer>","muted":7}}`,
  `R<log>\nA ${HEADER}\n{"peer":"x"}\n{"u":7,"q":7,"k":7}`,
  `R<log>\nD ${HEADER}\n7\n{"g":{}}`,
  `R<log>\nK ${HEADER}\n{"room":7}`,
  `R<log>\nM 0 0 <peer> * 0 0 x 0\n{}`,
  `R<log>\nM 1e999 -1 <peer> * 0 0 x 0\n{}`,
  `R<log>\nM 9007199254740991 9007199254740991 <peer> * 1 1 x 0\n{"from":"x"}`,
  `R<log>\nS x y z\n{}`,
  'R:{nowhere@main}:log\nM 1 1 x * 0 0 x 0\n{}',
  'R<log>:{x\nM 1 1 x * 0 0 x 0\n{}',
  Buffer.from('5200ff0aff1eff0aff', 'hex'),
  Buffer.alloc(100_000, 0x1e),
  `R${'<log>\nC 1 1 - * 0 0 x 0\n{}\x1e'.repeat(50)}`,
];

/** One thing that somebody does to the data, as commands of Redis. */
export interface Spoiling {
  readonly what: string;
  readonly commands: readonly (readonly Text[])[];
}

/** Keys that a room does not have: whatever becomes of them, every room goes on. */
export const HOME_SPOILINGS: readonly Spoiling[] = [
  { what: 'an order that is no JSON', commands: [['HSET', '<orders>', '<incarnation>', '{']] },
  { what: 'an order of another shape', commands: [['HSET', '<orders>', '<incarnation>', '[{"drain":{}}]']] },
  { what: 'an order that is null', commands: [['HSET', '<orders>', '<incarnation>', 'null']] },
  {
    what: 'an order that is not UTF-8',
    commands: [['HSET', '<orders>', '<incarnation>', Buffer.from([0xff, 0xc0])]],
  },
  {
    what: 'an order with a text that is huge',
    commands: [
      ['HSET', '<orders>', '<incarnation>', JSON.stringify({ drain: true, text: 'x'.repeat(100_000) })],
    ],
  },
  {
    what: 'orders that are a text',
    commands: [
      ['DEL', '<orders>'],
      ['SET', '<orders>', 'x'],
    ],
  },
  { what: 'an empty lease', commands: [['HSET', '<leases>', 'somebody', '']] },
  { what: 'a lease of words', commands: [['HSET', '<leases>', 'somebody', 'x y z + {']] },
  {
    what: 'a lease with huge numbers',
    commands: [['HSET', '<leases>', 'somebody', `${'9'.repeat(400)} x 1e999 + {}`]],
  },
  {
    what: 'a lease that is not UTF-8',
    commands: [['HSET', '<leases>', Buffer.from([0xff, 0x00]), Buffer.from([0xfe])]],
  },
  {
    what: 'a lease with a report of another shape',
    commands: [
      ['HSET', '<leases>', 'somebody', '1 x 1 + {"region":7,"rooms":-1.5,"publicUrl":"javascript:x"}'],
    ],
  },
  { what: "a living node's own lease of words", commands: [['HSET', '<leases>', '<incarnation>', 'x']] },
  {
    what: "a living node's own lease without end",
    commands: [['HSET', '<leases>', '<incarnation>', `${'9'.repeat(30)} x 0 +`]],
  },
  {
    what: 'leases that are a list',
    commands: [
      ['DEL', '<leases>'],
      ['LPUSH', '<leases>', 'x'],
    ],
  },
  {
    what: 'a marker that is a text',
    commands: [
      ['DEL', '<marker>'],
      ['SET', '<marker>', 'x'],
    ],
  },
  {
    what: 'a node that holds what is no room',
    commands: [['SADD', '<held>', '', 'x', '@', 'a@b@c', Buffer.from([0xff])]],
  },
  {
    what: 'what a node holds that is a text',
    commands: [
      ['DEL', '<held>'],
      ['SET', '<held>', 'x'],
    ],
  },
  {
    what: 'a dead node that held what is no room',
    commands: [
      ['HSET', '<leases>', 'nobody', '- given-up'],
      ['SADD', '<deadHeld>', '', 'x', '<room>', 'nowhere@main', Buffer.from([0xff, 0xfe])],
    ],
  },
  {
    what: 'a dead node whose rooms are a text',
    commands: [
      ['HSET', '<leases>', 'nobody', '- given-up'],
      ['DEL', '<deadHeld>'],
      ['SET', '<deadHeld>', 'x'],
    ],
  },
  {
    what: 'a directory of what is no room',
    commands: [
      ['ZADD', '<bySize>', '-999', 'x', '-998', Buffer.from([0xff]), '-inf', 'y@main', '-997', 'a@elsewhere'],
      ['ZADD', '<byName>', '0', 'x', '0', Buffer.from([0xff]), 'inf', 'y@main'],
    ],
  },
  {
    what: 'a directory that is a text',
    commands: [
      ['DEL', '<bySize>', '<byName>'],
      ['SET', '<bySize>', 'x'],
      ['SET', '<byName>', 'x'],
    ],
  },
  {
    what: 'a journal of what is no fact',
    commands: [
      ['XADD', '<journal>', '*', 'e', '{'],
      ['XADD', '<journal>', '*', 'x', 'null', 'e', 'x'],
      ['XADD', '<journal>', '*', 'e', 'null'],
      ['XADD', '<journal>', '*', 'e', '{"event":{},"at":7,"node":[]}'],
      ['XADD', '<journal>', '*', 'e', Buffer.from([0xff])],
    ],
  },
  {
    what: 'a journal that is a set',
    commands: [
      ['DEL', '<journal>'],
      ['SADD', '<journal>', 'x'],
    ],
  },
];

/** Keys of one room: they cost that room, and no other. */
export const ROOM_SPOILINGS: readonly Spoiling[] = [
  { what: 'a seq of words', commands: [['HSET', '<state>', 'seq', 'x']] },
  { what: 'a seq that is huge', commands: [['HSET', '<state>', 'seq', '9'.repeat(30)]] },
  { what: 'a seq that jumps', commands: [['HSET', '<state>', 'seq', '1000000']] },
  { what: 'no epoch', commands: [['HDEL', '<state>', 'epoch']] },
  { what: 'an epoch of words', commands: [['HSET', '<state>', 'epoch', 'x y']] },
  {
    what: 'an order of members that are none',
    commands: [['HSET', '<state>', 'order', 'a b "c', 'members', '-1']],
  },
  { what: 'a profile that is no JSON', commands: [['HSET', '<state>', 'p:<peer>', '{"']] },
  {
    what: 'a profile that breaks out',
    commands: [['HSET', '<state>', 'p:<peer>', '"name":"x","metadata":{}}]']],
  },
  {
    what: 'a profile that is not UTF-8',
    commands: [['HSET', '<state>', 'p:<peer>', Buffer.from([0xff, 0x22])]],
  },
  { what: 'a role that is none', commands: [['HSET', '<state>', 'r:<peer>', 'king']] },
  { what: 'mutes that are none', commands: [['HSET', '<state>', 'm:<peer>', '7', 'k:<peer>', '{"']] },
  { what: 'a generation of words', commands: [['HSET', '<state>', 'g:<peer>', 'x']] },
  { what: 'no generation', commands: [['HDEL', '<state>', 'g:<peer>', 'j:<peer>', 'c:<peer>']] },
  {
    what: 'answers that are none',
    commands: [['HSET', '<state>', 'a:<peer>:2', '2 Xyz', 'a:<peer>:3', '3 L', 'a:x', 'y']],
  },
  {
    what: 'a ban and a mute of nobody',
    commands: [['HSET', '<state>', 'b:', 'x', 'q:x', '{', 'banned', 'x']],
  },
  { what: 'hosts that are none', commands: [['HSET', '<state>', 'hosts', 'a b  c \n d']] },
  {
    what: 'a hash of another room',
    commands: [
      ['DEL', '<state>'],
      ['HSET', '<state>', 'x', 'y'],
    ],
  },
  {
    what: 'a hash that is a text',
    commands: [
      ['DEL', '<state>'],
      ['SET', '<state>', 'x'],
    ],
  },
  {
    what: 'records that are none',
    commands: [
      ['XADD', '<log>', '*', 'r', 'x'],
      ['HINCRBY', '<state>', 'seq', '1'],
    ],
  },
  { what: 'a log without records', commands: [['XTRIM', '<log>', 'MAXLEN', '0']] },
  {
    what: 'a log that is a list',
    commands: [
      ['DEL', '<log>'],
      ['LPUSH', '<log>', 'x'],
    ],
  },
  { what: 'an end that is a hash', commands: [['HSET', '<closed>', 'x', 'y']] },
  {
    what: 'contributions that are a text',
    commands: [
      ['SET', '<restore>', 'x'],
      ['HSET', '<state>', 'life', 'x'],
    ],
  },
  {
    what: 'contributions that are none',
    commands: [
      ['DEL', '<restore>'],
      [
        'HSET',
        '<restore>',
        'life',
        'x',
        'c:a',
        '{',
        'c:b',
        'null',
        'c:c',
        '{"state":"{}","records":[7],"trimmed":{}}',
      ],
      ['HSET', '<state>', 'life', 'x'],
    ],
  },
];

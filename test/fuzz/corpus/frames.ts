import type { FrameShape } from '../steps.ts';

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** Code 1000 and some words. */
const closeWith = (code: number, reason = '') => String.fromCharCode((code >> 8) & 255, code & 255) + reason;

/** Single frames that a client may not send, or hardly ever sends. */
export const ODD_FRAMES: readonly FrameShape[] = [
  { opcode: PING, payload: '' },
  { opcode: PING, payload: 'x'.repeat(125) },
  { opcode: PING, payload: 'x'.repeat(126) },
  { opcode: PING, payload: 'x', fin: false },
  { opcode: PONG, payload: '' },
  { opcode: PONG, payload: 'unasked' },
  { opcode: PONG, payload: 'x'.repeat(125) },
  { opcode: PONG, payload: 'x'.repeat(70_000) },
  { opcode: CLOSE, payload: '' },
  { opcode: CLOSE, payload: '\x03' },
  { opcode: CLOSE, payload: closeWith(1_000) },
  { opcode: CLOSE, payload: closeWith(1_000, 'x'.repeat(123)) },
  { opcode: CLOSE, payload: closeWith(1_000, 'x'.repeat(124)) },
  { opcode: CLOSE, payload: closeWith(1_000, '\xff\xfe') },
  ...[0, 999, 1_004, 1_005, 1_006, 1_012, 1_015, 1_016, 2_999, 3_000, 4_999, 5_000, 65_535].map((code) => ({
    opcode: CLOSE,
    payload: closeWith(code),
  })),
  { opcode: CLOSE, payload: closeWith(1_000), fin: false },
  { opcode: 0, payload: '42["leave",{"id":2}]' },
  { opcode: 0, payload: '', fin: false },
  { opcode: 3, payload: '2' },
  { opcode: 7, payload: '' },
  { opcode: 11, payload: '2' },
  { opcode: 15, payload: '' },
  { opcode: TEXT, payload: '' },
  { opcode: BINARY, payload: '' },
  { opcode: BINARY, payload: '\x00\x01\x02' },
  { opcode: BINARY, payload: '42["leave",{"id":2}]' },
  { opcode: BINARY, payload: 'x'.repeat(70_000) },
  { opcode: TEXT, payload: '2', rsv: 1 },
  { opcode: TEXT, payload: '2', rsv: 2 },
  { opcode: TEXT, payload: '2', rsv: 4 },
  { opcode: TEXT, payload: '42["leave",{"id":2}]', rsv: 4 },
  { opcode: TEXT, payload: '2', masked: false },
  { opcode: TEXT, payload: '42["leave",{"id":2}]', masked: false },
  { opcode: TEXT, payload: '\xff\xfe\xfd' },
  { opcode: TEXT, payload: '42["leave",{"id":2,"x":"\xed\xa0\x80"}]' },
  { opcode: TEXT, payload: '42["leave",{"id":2}]', lengthBits: 16 },
  { opcode: TEXT, payload: '42["leave",{"id":2}]', lengthBits: 64 },
  { opcode: TEXT, payload: '2', claims: 65_535 },
  { opcode: TEXT, payload: '2', claims: 262_144 },
  { opcode: TEXT, payload: '2', claims: 262_145 },
  { opcode: TEXT, payload: '2', claims: 2 ** 31 },
  { opcode: TEXT, payload: '2', claims: 2 ** 53 },
  { opcode: TEXT, payload: `4${'2'.repeat(262_143)}` },
  { opcode: TEXT, payload: `4${'2'.repeat(262_144)}` },
  { opcode: TEXT, payload: '42["leave",{"id":2}]', cutAt: 1 },
  { opcode: TEXT, payload: '42["leave",{"id":2}]', cutAt: 5 },
  { opcode: TEXT, payload: '42["leave",{"id":2}]', cutAt: 12 },
  { opcode: TEXT, payload: 'x'.repeat(70_000), cutAt: 60_000 },
];

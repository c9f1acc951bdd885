import { createHash, createHmac, randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** One STUN message (RFC 8489, 5), as far as a client of STUN and TURN (RFC 8656) needs to read and write it. */
export interface StunMessage {
  readonly method: Method;
  readonly kind: 'request' | 'success' | 'error';
  readonly transaction: Buffer;
  readonly attributes: ReadonlyMap<number, Buffer>;
}

export const METHODS = { binding: 0x001, allocate: 0x003, refresh: 0x004, createPermission: 0x008 } as const;
export type Method = keyof typeof METHODS;

export const ATTRIBUTES = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  lifetime: 0x000d,
  xorPeerAddress: 0x0012,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedTransport: 0x0019,
  xorMappedAddress: 0x0020,
} as const;

/** What a server asks a request to be signed with (RFC 8489, 9.2). */
export interface Login {
  readonly username: string;
  readonly password: string;
  readonly realm: Buffer;
  readonly nonce: Buffer;
}

export const HEADER_BYTES = 20;
const COOKIE = 0x2112_a442;
const INTEGRITY_BYTES = 24;
const UDP = 17;
const CLASSES = { 0: 'request', 256: 'success', 272: 'error' } as const;

export function formatRequest(
  method: Method,
  attributes: readonly (readonly [number, Buffer])[],
  login?: Login,
): { readonly transaction: Buffer; readonly bytes: Buffer } {
  const transaction = randomBytes(12);
  const signed = login === undefined ? [] : credentials(login);
  const body = Buffer.concat([...attributes, ...signed].map(([type, value]) => formatAttribute(type, value)));
  const header = (length: number) => {
    const bytes = Buffer.alloc(HEADER_BYTES);
    bytes.writeUInt16BE(METHODS[method], 0);
    bytes.writeUInt16BE(length, 2);
    bytes.writeUInt32BE(COOKIE, 4);
    transaction.copy(bytes, 8);
    return bytes;
  };
  if (login === undefined) return { transaction, bytes: Buffer.concat([header(body.length), body]) };
  // The length that is signed counts the signature itself.
  const unsigned = Buffer.concat([header(body.length + INTEGRITY_BYTES), body]);
  const { username, realm, password } = login;
  const key = createHash('md5').update(`${username}:`).update(realm).update(`:${password}`).digest();
  const mac = createHmac('sha1', key).update(unsigned).digest();
  return { transaction, bytes: Buffer.concat([unsigned, formatAttribute(ATTRIBUTES.messageIntegrity, mac)]) };
}

function credentials({ username, realm, nonce }: Login): (readonly [number, Buffer])[] {
  return [
    [ATTRIBUTES.username, Buffer.from(username)],
    [ATTRIBUTES.realm, realm],
    [ATTRIBUTES.nonce, nonce],
  ];
}

function formatAttribute(type: number, value: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(value.length, 2);
  return Buffer.concat([header, value, Buffer.alloc(padding(value.length))]);
}

function padding(length: number): number {
  return (4 - (length % 4)) % 4;
}

/** Undefined where it is none, or one that no request of ours is answered with. */
export function parseMessage(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32BE(4) !== COOKIE) return undefined;
  const type = bytes.readUInt16BE(0);
  const kind = CLASSES[(type & 0x110) as keyof typeof CLASSES];
  const method = (Object.keys(METHODS) as Method[]).find((name) => METHODS[name] === (type & ~0x110));
  const end = HEADER_BYTES + bytes.readUInt16BE(2);
  if (kind === undefined || method === undefined || end > bytes.length) return undefined;
  const attributes = new Map<number, Buffer>();
  for (let at = HEADER_BYTES; at + 4 <= end; ) {
    const length = bytes.readUInt16BE(at + 2);
    if (at + 4 + length > end) return undefined;
    attributes.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length + padding(length);
  }
  return { method, kind, transaction: bytes.subarray(8, HEADER_BYTES), attributes };
}

/** How many bytes the message takes that begins here; undefined while its header is not whole. */
export function lengthOf(bytes: Buffer): number | undefined {
  return bytes.length < HEADER_BYTES ? undefined : HEADER_BYTES + bytes.readUInt16BE(2);
}

export function errorOf({ attributes }: StunMessage): { readonly code: number; readonly reason: string } {
  const value = attributes.get(ATTRIBUTES.errorCode);
  if (value === undefined || value.length < 4) return { code: 0, reason: 'no reason given' };
  return {
    code: (value.readUInt8(2) & 7) * 100 + value.readUInt8(3),
    reason: value.toString('utf8', 4, 104),
  };
}

/** Of an XOR'ed address (RFC 8489, 14.2); of IPv6 as hexadecimal digits between colons. */
export function addressOf(message: StunMessage, attribute: number): string | undefined {
  const value = message.attributes.get(attribute);
  if (value === undefined || value.length < 8) return undefined;
  const mask = Buffer.alloc(16);
  mask.writeUInt32BE(COOKIE, 0);
  message.transaction.copy(mask, 4);
  const address = value.subarray(4).map((byte, at) => byte ^ (mask[at] ?? 0));
  if (value.readUInt8(1) === 1) return [...address.subarray(0, 4)].join('.');
  return address.length === 16 ? Buffer.from(address).toString('hex').match(/.{4}/g)?.join(':') : undefined;
}

/** A peer by its IPv4 address, at some port: permissions are for addresses (RFC 8656, 9). */
export function formatPeer(address: string): Buffer {
  if (!isIPv4(address)) throw new Error('no IPv4 address');
  const value = Buffer.alloc(8);
  value.writeUInt8(1, 1);
  value.writeUInt16BE(9 ^ (COOKIE >>> 16), 2);
  const plain = Buffer.from(address.split('.').map(Number));
  value.writeUInt32BE((plain.readUInt32BE(0) ^ COOKIE) >>> 0, 4);
  return value;
}

export function requestedUdp(): Buffer {
  return Buffer.from([UDP, 0, 0, 0]);
}

export function lifetime(seconds: number): Buffer {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(seconds);
  return value;
}

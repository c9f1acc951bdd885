import type { EventName } from '@fenghuo/protocol';
import type { Reply } from '../requests/reply.ts';

/** RFC 6455, 5.2: the first byte of a whole text message. */
export const WHOLE_TEXT = 0x81;

/** One text message as it stands on the wire: not masked, since it comes from a server. */
export function textFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const headerBytes = bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerBytes + bytes);
  frame[0] = WHOLE_TEXT;
  if (headerBytes === 2) {
    frame[1] = bytes;
  } else if (headerBytes === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(bytes, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(bytes, 6);
  }
  frame.write(text, headerBytes);
  return frame;
}

/** An event of Socket.IO (packet type 2) in a message of Engine.IO (type 4). `payload` is JSON. */
export function eventFrame(event: EventName, payload: string): Buffer {
  return textFrame(`42["${event}",${payload}]`);
}

/** What answers the packet of that id (type 3). */
export function ackFrame(id: number, reply: Reply): Buffer {
  return textFrame(`43${id}[${reply.ok ? okWith(JSON.stringify(reply.value)) : JSON.stringify(reply)}]`);
}

function okWith(value: string): string {
  return value === '{}' ? '{"ok":true}' : `{"ok":true,${value.slice(1)}`;
}

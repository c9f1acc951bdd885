import { ACCEPTED, type Heard, NOTHING, SIGNAL, type Ticket, type Wire } from './wire.ts';

const [OPEN, PING, MESSAGE] = ['0', '2', '4'].map((type) => type.charCodeAt(0));
const [CONNECT, EVENT, ACK, CONNECT_ERROR] = ['0', '2', '3', '4'].map((type) => type.charCodeAt(0));
const QUOTE = '"'.charCodeAt(0);
const S = 's'.charCodeAt(0);
const OK = '{"ok":true';
const PONG: Heard = { type: 'say', text: '3' };

interface JoinReply {
  readonly ok?: boolean;
  readonly self: string | { readonly id: string };
  readonly error?: { readonly code: string; readonly retry_after_ms?: number };
}

/** Engine.IO 4 and Socket.IO 5 as text frames, for whoever's rooms and signals. The join is packet 0. */
export function socketIoWire(requests: {
  join(ticket: Ticket): string;
  readonly signal: Wire['signal'];
}): Wire {
  return {
    path: () => '/socket.io/?EIO=4&transport=websocket',
    read(frame, ticket) {
      if (frame[0] === OPEN) return { type: 'say', text: `40${JSON.stringify({ token: ticket.token })}` };
      if (frame[0] === PING) return PONG;
      if (frame[0] !== MESSAGE) return NOTHING;
      if (frame[1] === EVENT) return isSignal(frame) ? SIGNAL : NOTHING;
      if (frame[1] === ACK) return readAck(frame);
      if (frame[1] === CONNECT) return { type: 'say', text: `420${requests.join(ticket)}` };
      if (frame[1] === CONNECT_ERROR) return readRefusal(frame);
      return NOTHING;
    },
    signal: requests.signal,
  };
}

/** `42["signal",…`: no other event of a contestant begins with an s. */
function isSignal(frame: Buffer): boolean {
  return frame[3] === QUOTE && frame[4] === S;
}

function readAck(frame: Buffer): Heard {
  const list = frame.indexOf('[');
  const isJoin = frame.toString('latin1', 2, list) === '0';
  if (!isJoin && frame.toString('latin1', list + 1, list + 1 + OK.length) === OK) return ACCEPTED;
  const [reply] = JSON.parse(frame.toString('utf8', list)) as [JoinReply];
  if (reply.error !== undefined)
    return { type: 'refused', why: reply.error.code, again: isJoin ? reply.error.retry_after_ms : undefined };
  return { type: 'joined', id: typeof reply.self === 'string' ? reply.self : reply.self.id };
}

function readRefusal(frame: Buffer): Heard {
  const { message, data } = JSON.parse(frame.toString('utf8', 2)) as {
    message: string;
    data?: { code: string; retry_after_ms?: number };
  };
  return { type: 'refused', why: data?.code ?? message, again: data?.retry_after_ms };
}

/** The bench's own socket.io nodes. */
export const plainSocketIo = socketIoWire({
  join: ({ room }) => `["join",{"room":"${room}"}]`,
  signal: (to, _, body) => `42["signal",{"to":"${to}",${body}}]`,
});

/** docs/protocol.md. Every signal is acknowledged, as the SDK has it: without its answer a sender knows nothing. */
export const fenghuoWire = socketIoWire({
  join: ({ room, name }) => `["join",{"id":1,"room":"${room}","name":"${name}"}]`,
  signal: (to, _, body, number) => `42${number + 1}["signal",{"id":${number + 2},"to":"${to}",${body}}]`,
});

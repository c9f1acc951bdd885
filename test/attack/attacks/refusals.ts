import type { Attack } from '../attack.ts';
import type { Siege } from '../siege/siege.ts';
import { frame } from '../wire/frames.ts';

const CONNECTIONS = 4;

/** Whoever asks for nothing that it may have, and does not stop: each kind of refusal, on ever new connections. */
export const REFUSAL_ATTACKS: readonly Attack[] = [
  refusals('B7', 'requests that nobody knows', '421["unheard-of",{}]'),
  refusals(
    'B7-unknown-mute',
    'events that nobody knows, without a wish for an answer',
    '42["unheard-of",{}]',
  ),
  refusals('B7-not-joined', 'signals before a join', text('signal', { id: 2, to: 'x', candidate: null })),
  refusals('B7-invalid', 'joins with a room that cannot be', text('join', { id: 1, room: '{}' })),
  refusals('B7-no-object', 'requests whose payload is none', '421["join",7]'),
  refusals('B7-expired', 'forged resumes', text('resume', { resume_token: 'forged', seq: 1, epoch: 1 })),
  refusals(
    'B7-too-large',
    'messages over the limit',
    text('message', { id: 2, topic: 'x', data: 'x'.repeat(70_000) }),
  ),
  refusals(
    'B7-deep',
    'metadata that nests too deep',
    text('join', { id: 1, room: 'x', metadata: nested(200) }),
  ),
  refusals('B7-acks', 'acknowledgements of nothing', '4399[{}]'),
  refusals('B7-joined', 'second joins', text('join', { id: 1, room: 'x' }), true),
  refusals('B7-nobody', 'signals to nobody', text('signal', { id: 2, to: 'nobody', candidate: null }), true),
  refusals('B7-forbidden', 'orders without the role', text('moderate', { id: 2, action: 'lock' }), true),
  refusals(
    'B7-repeated',
    'one message with the same number',
    text('message', { id: 2, topic: 'x', data: 1 }),
    true,
  ),
  refusals(
    'B7-gap',
    'messages with numbers far ahead',
    text('message', { id: 900_000, topic: 'x', data: 1 }),
    true,
  ),
  {
    id: 'B7-binary',
    title: 'requests with binary attachments without pause on 4 connections',
    run: (siege) =>
      without(
        siege,
        Buffer.concat([
          frame('451-1["message",{"_placeholder":true,"num":0}]'),
          frame(Buffer.alloc(1_000), { opcode: 'binary' }),
        ]),
        false,
      ),
  },
  {
    id: 'B7-early',
    title: 'packets before CONNECT, without pause on 40 connections',
    run: (siege) =>
      siege.lanes(40, async () => {
        const socket = await siege.socket();
        const { batch, frames } = siege.copies(frame('6'));
        await siege.flood(socket, batch, frames);
      }),
  },
  {
    id: 'B7-http',
    title: 'requests of HTTP for /ice without a token, without pause on 4 connections',
    run: (siege) =>
      siege.lanes(CONNECTIONS, async () => {
        const socket = siege.tcp();
        const { batch, frames } = siege.copies(Buffer.from('GET /ice HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'));
        await siege.flood(socket, batch, frames);
      }),
  },
];

function refusals(id: string, what: string, asked: string, isJoined = false): Attack {
  return {
    id,
    title: `${what}, without pause on ${CONNECTIONS} connections`,
    run: (siege) => without(siege, frame(asked), isJoined),
  };
}

async function without(siege: Siege, asked: Buffer, isJoined: boolean): Promise<void> {
  const { batch, frames } = siege.copies(asked);
  await siege.lanes(CONNECTIONS, async () => {
    const person = siege.somebody();
    const client = isJoined
      ? (await siege.member('refused', { claims: person })).client
      : await siege.client(person);
    siege.countAnswers(client.socket);
    await siege.flood(client.socket, batch, frames);
  });
}

function text(name: string, payload: object): string {
  return `421${JSON.stringify([name, payload])}`;
}

function nested(depth: number): object {
  let value = {};
  for (let n = 0; n < depth; n += 1) value = { x: value };
  return value;
}

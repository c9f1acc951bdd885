import type { Attack } from '../attack.ts';
import type { Siege } from '../siege/siege.ts';
import { frame, repeated } from '../wire/frames.ts';
import type { RawSocket } from '../wire/raw-socket.ts';

const CLIENTS = 500;
const FRAGMENTS = 16_000;
const HALF_CLIENTS = 300;
const HALF_BYTES = 250_000;
const FIRST = frame('4', { isOpen: true });
const ONE_BYTE = frame('x', { opcode: 'continuation', isOpen: true });
const PING = frame(Buffer.alloc(125, 'p'), { opcode: 'ping' });

/** What WebSocket itself leaves to a client: fragments, unfinished messages, control frames. */
export const FRAGMENT_ATTACKS: readonly Attack[] = [
  {
    id: 'B1',
    title: `${CLIENTS} clients, each FIN=0 and ${FRAGMENTS} continuation frames of one byte`,
    secondsMin: 15,
    run: (siege) => siege.lanes(CLIENTS, async () => fragments(siege, await siege.socket())),
  },
  {
    id: 'B1-joined',
    title: `the same by 100 who are in rooms`,
    secondsMin: 15,
    run: (siege) =>
      siege.lanes(100, async (lane) => {
        const { client } = await siege.member(`fragments-${lane}`, { claims: siege.somebody() });
        await fragments(siege, client.socket);
      }),
  },
  {
    id: 'B1-half',
    title: `${HALF_CLIENTS} clients, each all but one byte of a message of ${HALF_BYTES / 1_000} KB`,
    secondsMin: 15,
    run: (siege) =>
      siege.lanes(HALF_CLIENTS, async () => {
        const socket = await siege.socket();
        siege.write(socket, frame(Buffer.alloc(HALF_BYTES - 1, '4'), { claims: HALF_BYTES }));
        await siege.held(socket);
      }),
  },
  {
    id: 'B1-empty',
    title: 'continuation frames without content, without end, on 4 connections',
    run: (siege) =>
      siege.lanes(4, async () => {
        const socket = await siege.socket();
        siege.write(socket, FIRST);
        const { batch, frames } = siege.copies(frame('', { opcode: 'continuation', isOpen: true }));
        await siege.flood(socket, batch, frames);
      }),
  },
  {
    id: 'B1-pings',
    title: 'WebSocket pings without pause on 4 connections, whose pongs nobody reads',
    run: (siege) =>
      siege.lanes(4, async () => {
        const socket = await siege.socket();
        socket.stopReading();
        const { batch, frames } = siege.copies(PING);
        await siege.flood(socket, batch, frames);
      }),
  },
  {
    id: 'B1-noops',
    title: 'packets of Engine.IO that ask for nothing (`6`, `3`, ``) without pause on 4 connections',
    run: (siege) =>
      siege.lanes(4, async (lane) => {
        const socket = await siege.socket();
        siege.write(socket, frame(`40${siege.auth()}`));
        const { batch, frames } = siege.copies(frame(['6', '3', '2', '44'][lane] ?? ''));
        await siege.flood(socket, batch, frames);
      }),
  },
  {
    id: 'B1-bytes',
    title: 'requests in TCP segments of one byte each, on 50 connections',
    run: (siege) =>
      siege.lanes(50, async (lane) => {
        const { client } = await siege.member(`bytes-${lane}`, { claims: siege.somebody() });
        const request = frame(`421${JSON.stringify(['update', { id: 2, name: 'x'.repeat(60) }])}`);
        await siege.flood(client.socket, (n) =>
          request.subarray(n % request.length, (n % request.length) + 1),
        );
      }),
  },
];

async function fragments(siege: Siege, socket: RawSocket): Promise<void> {
  siege.write(socket, FIRST);
  siege.write(socket, repeated(ONE_BYTE, FRAGMENTS), FRAGMENTS);
  await siege.held(socket);
}

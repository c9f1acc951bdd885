import { setTimeout as sleep } from 'node:timers/promises';

import type { Attack } from '../attack.ts';
import type { Siege } from '../siege/siege.ts';
import { frame } from '../wire/frames.ts';
import type { RawSocket } from '../wire/raw-socket.ts';

const PLACES = 200;
const settings = { CONNECTIONS_MAX: String(PLACES) };
const FILES = 3_000;
const SILENT = 4_000;
const BYTE_MS = 500;
const SLOW = 500;

/** Connections that take a place and do nothing with it; those of HTTP, a byte at a time. */
export const PLACE_ATTACKS: readonly Attack[] = [
  {
    id: 'B2',
    title: `CONNECTIONS_MAX=${PLACES}: ${PLACES + 1} WebSockets that say nothing`,
    settings,
    run: (siege) => siege.lanes(PLACES + 1, async () => siege.held(await siege.socket())),
  },
  {
    id: 'B2-left',
    title: `${PLACES + 1} WebSockets with \`40\`, \`41\`, and pongs for ever`,
    settings,
    run: (siege) =>
      siege.lanes(PLACES + 1, async () => {
        const socket = await siege.socket();
        siege.write(socket, frame(`40${siege.auth()}`));
        await sleep(BYTE_MS);
        siege.write(socket, frame('41'));
        await siege.held(socket);
      }),
  },
  {
    id: 'B2-connected',
    title: `${PLACES + 1} clients that have connected and never join`,
    settings,
    run: (siege) =>
      siege.lanes(PLACES + 1, async () => siege.held((await siege.client(siege.somebody())).socket)),
  },
  {
    id: 'B2-joined-left',
    title: `${PLACES + 1} clients that have joined, have left, and stay`,
    settings,
    run: (siege) =>
      siege.lanes(PLACES + 1, async (lane) => {
        const { client } = await siege.member(`left-${lane}`, { claims: siege.somebody() });
        await siege.ask(client, 'leave', { id: 2 });
        await siege.held(client.socket);
      }),
  },
  {
    id: 'B2-tcp',
    title: `${PLACES + 1} TCP connections that say nothing`,
    settings,
    run: (siege) => siege.lanes(PLACES + 1, () => siege.held(siege.tcp())),
  },
  {
    id: 'B2-half',
    title: `${PLACES + 1} TCP connections with half a request of HTTP`,
    settings,
    run: (siege) =>
      siege.lanes(PLACES + 1, async () => {
        const socket = siege.tcp();
        siege.write(socket, socket.request().slice(0, -2));
        await siege.held(socket);
      }),
  },
  {
    id: 'B8',
    title: `${SLOW} requests of HTTP whose headers come a byte at a time; all closed within 15 s`,
    secondsMin: 25,
    run: (siege) => slow(siege, (socket) => socket.request()),
  },
  {
    id: 'B8-body',
    title: `${SLOW} requests of HTTP whose body comes a byte at a time; all closed within 15 s`,
    secondsMin: 25,
    run: (siege) =>
      slow(
        siege,
        () => 'x'.repeat(1_000),
        'POST /ice HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n',
      ),
  },
  {
    id: 'B8-silent',
    title: `${SILENT} silent connections on a node that may hold ${FILES} files`,
    filesMax: FILES,
    secondsMin: 15,
    run: (siege) => siege.lanes(SILENT, () => siege.held(siege.tcp())),
  },
  {
    id: 'B8-silent-ws',
    title: `${SILENT} silent WebSockets on a node that may hold ${FILES} files`,
    filesMax: FILES,
    secondsMin: 15,
    run: (siege) => siege.lanes(SILENT, async () => siege.held(await siege.socket())),
  },
  {
    id: 'B8-page',
    title:
      'answers of HTTP that nobody reads, on connections that then ask for a WebSocket of an old protocol',
    run: (siege) =>
      siege.lanes(20, async () => {
        const socket = siege.tcp();
        socket.stopReading();
        const ask = `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`.repeat(97);
        siege.write(socket, ask + socket.request().replace('EIO=4', 'EIO=3'), 98);
        await siege.held(socket, 200);
        socket.destroy();
      }),
  },
];

const CLOSED_WITHIN_MS = 15_000;

/** One try each: whoever comes back is counted with the silent ones. */
async function slow(siege: Siege, text: (socket: RawSocket) => string, first = ''): Promise<void> {
  let late = 0;
  const one = async () => {
    const socket = siege.tcp();
    if (first !== '') siege.write(socket, first);
    const deadlineMs = performance.now() + CLOSED_WITHIN_MS;
    for (const letter of text(socket)) {
      siege.write(socket, letter);
      await siege.held(socket, BYTE_MS);
      if (socket.isClosed || performance.now() > deadlineMs || siege.isOver) break;
    }
    if (!socket.isClosed) late += 1;
    await siege.held(socket);
  };
  const all = Array.from({ length: SLOW }, one);
  await Promise.race([Promise.all(all), siege.over()]);
  siege.check(
    `${late} of ${SLOW} slow connections still open after ${CLOSED_WITHIN_MS / 1_000} s`,
    late === 0,
  );
}

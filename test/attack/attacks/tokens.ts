import { setTimeout as sleep } from 'node:timers/promises';

import type { Attack } from '../attack.ts';
import type { Siege } from '../siege/siege.ts';
import { frame } from '../wire/frames.ts';

const BAD = '40{"token":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.AAAA"}';
/** Ten times what one address may do by default: 2,000 handshakes in 30 s. */
const FLOOD_PER_S = 667;
const UNDERWAY_MAX = 2_000;
const STEP_MS = 10;

/** Handshakes: tokens that are none, and too many of them. */
export const TOKEN_ATTACKS: readonly Attack[] = [
  {
    id: 'B5',
    title: '`40{bad token}` at full speed on one connection, again where it is closed',
    run: (siege) => badTokens(siege, 1, BAD),
  },
  { id: 'B5-many', title: 'the same on 50 connections', run: (siege) => badTokens(siege, 50, BAD) },
  {
    id: 'B5-long',
    title: 'the same with tokens of 8 KB on 4 connections',
    run: (siege) => badTokens(siege, 4, `40{"token":"${'e'.repeat(8_000)}.x.y"}`),
  },
  {
    id: 'B5-es256',
    title: 'the same with tokens of ES256 whose signature is wrong, on 4 connections',
    run: (siege) => {
      const [head, body, signature = ''] = siege.token({}, 'ES256').split('.');
      return badTokens(siege, 4, `40{"token":"${head}.${body}.${[...signature].reverse().join('')}"}`);
    },
  },
  {
    id: 'B5-new',
    title: 'a bad token on ever new connections, 20 at a time',
    run: (siege) =>
      siege.lanes(20, async () => {
        const socket = await siege.socket();
        siege.countAnswers(socket);
        siege.write(socket, frame(BAD));
        await siege.held(socket, 200);
        socket.destroy();
      }),
  },
  {
    id: 'FLOOD',
    title: `${FLOOD_PER_S} handshakes a second from one address, ten times its limit, each closed once it is answered`,
    secondsMin: 20,
    bars: { joinP99MsMax: 1_000, coreShareMax: 0.5 },
    run: (siege) => flood(siege, () => siege.client(siege.somebody()).then((client) => client.close())),
  },
  {
    id: 'FLOOD-bad',
    title: 'the same with bad tokens',
    secondsMin: 20,
    bars: { joinP99MsMax: 1_000, coreShareMax: 0.5 },
    run: (siege) =>
      flood(siege, async () => {
        const socket = await siege.socket();
        siege.countAnswers(socket);
        siege.write(socket, frame(BAD));
        await siege.held(socket, 200);
        socket.destroy();
      }),
  },
  {
    id: 'FLOOD-tcp',
    title: 'the same, but the connections are closed before a word',
    secondsMin: 20,
    bars: { joinP99MsMax: 1_000, coreShareMax: 0.5 },
    run: (siege) =>
      flood(siege, async () => {
        const socket = siege.tcp();
        await sleep(STEP_MS);
        socket.destroy();
      }),
  },
];

async function badTokens(siege: Siege, connections: number, text: string): Promise<void> {
  const { batch, frames } = siege.copies(frame(text));
  await siege.lanes(connections, async () => {
    const socket = await siege.socket();
    siege.countAnswers(socket);
    await siege.flood(socket, batch, frames);
  });
}

/** By the clock, whatever becomes of those before. */
async function flood(siege: Siege, one: () => Promise<unknown>): Promise<void> {
  const startMs = performance.now();
  let started = 0;
  let underway = 0;
  while (!siege.isOver) {
    const due = Math.floor(((performance.now() - startMs) / 1_000) * FLOOD_PER_S);
    for (; started < due; started += 1) {
      if (underway >= UNDERWAY_MAX) continue;
      underway += 1;
      void one()
        .catch(() => {})
        .finally(() => {
          underway -= 1;
        });
    }
    await sleep(STEP_MS);
  }
}

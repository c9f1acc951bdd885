import { setTimeout as sleep } from 'node:timers/promises';

import type { Attack } from '../attack.ts';
import type { Siege } from '../siege/siege.ts';

const CONNECTIONS = 20;
/** What fills a Redis within half a minute shows within a third of it. */
const SECONDS = 10;
/** No person with all devices changes rooms so often in the time of an attack. */
const USER_JOINS_MAX = 1_000;

/** Ever new rooms, of which each leaves something behind. */
export const ROOM_ATTACKS: readonly Attack[] = [
  {
    id: 'B4',
    title: `one user joins and leaves ever new rooms on ${CONNECTIONS} connections`,
    secondsMin: SECONDS,
    run: async (siege) => {
      const joined = await roomAfterRoom(siege, () => ({ sub: 'attacker' }));
      siege.check(`one user joined ${joined} rooms in ${siege.seconds} s`, joined <= USER_JOINS_MAX);
    },
  },
  {
    id: 'B4-metadata',
    title: 'the same with as much metadata as there may be',
    secondsMin: SECONDS,
    run: async (siege) => {
      const metadata = await siege.greatestMetadata();
      await roomAfterRoom(siege, () => ({ sub: 'attacker' }), { metadata });
    },
  },
  {
    id: 'B4-users',
    title: `the same by ${CONNECTIONS} users behind one address`,
    secondsMin: SECONDS,
    run: async (siege) => void (await roomAfterRoom(siege, () => siege.somebody())),
  },
  {
    id: 'B4-open',
    title: 'the same with AUTH=open',
    auth: 'open',
    secondsMin: SECONDS,
    run: async (siege) => void (await roomAfterRoom(siege, () => ({}))),
  },
  {
    id: 'B4-stay',
    title: `${CONNECTIONS} connections a turn join new rooms, and go without leaving`,
    secondsMin: SECONDS,
    run: (siege) =>
      siege.lanes(CONNECTIONS, async () => {
        const { client } = await siege.member(siege.newRoom(), { claims: { sub: 'attacker' } });
        client.socket.destroy();
      }),
  },
];

/** Resolves with how many joins were accepted. */
async function roomAfterRoom(siege: Siege, claims: () => object, join: object = {}): Promise<number> {
  let joined = 0;
  const joining = siege.lanes(CONNECTIONS, async () => {
    const client = await siege.client(claims());
    while (!client.socket.isClosed && !siege.isOver) {
      const { ok } = await siege.ask(client, 'join', { id: 1, room: siege.newRoom(), ...join });
      if (ok) joined += 1;
      await siege.ask(client, 'leave', { id: 2 });
    }
  });
  await Promise.race([joining, sleep(siege.remainingMs - 200)]);
  return joined;
}

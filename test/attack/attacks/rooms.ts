import type { Attack } from '../attack.ts';
import type { Siege } from '../siege/siege.ts';

const CONNECTIONS = 20;
/** What fills a Redis within half a minute shows within a third of it. */
const SECONDS = 10;

/** Ever new rooms, of which each leaves something behind. */
export const ROOM_ATTACKS: readonly Attack[] = [
  {
    id: 'B4',
    title: `one user joins and leaves ever new rooms on ${CONNECTIONS} connections`,
    secondsMin: SECONDS,
    run: (siege) => roomAfterRoom(siege, () => ({ sub: 'attacker' })),
  },
  {
    id: 'B4-metadata',
    title: 'the same with as much metadata as there may be',
    secondsMin: SECONDS,
    run: async (siege) =>
      roomAfterRoom(siege, () => ({ sub: 'attacker' }), { metadata: await siege.greatestMetadata() }),
  },
  {
    id: 'B4-users',
    title: `the same by ${CONNECTIONS} users behind one address`,
    secondsMin: SECONDS,
    run: (siege) => roomAfterRoom(siege, () => siege.somebody()),
  },
  {
    id: 'B4-open',
    title: 'the same with AUTH=open',
    auth: 'open',
    secondsMin: SECONDS,
    run: (siege) => roomAfterRoom(siege, () => ({})),
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

async function roomAfterRoom(siege: Siege, claims: () => object, join: object = {}): Promise<void> {
  await siege.lanes(CONNECTIONS, async () => {
    const client = await siege.client(claims());
    while (!client.socket.isClosed && !siege.isOver) {
      await siege.ask(client, 'join', { id: 1, room: siege.newRoom(), ...join });
      await siege.ask(client, 'leave', { id: 2 });
    }
  });
}

import { setTimeout as sleep } from 'node:timers/promises';

import type { Attack } from '../attack.ts';
import type { Member, Siege } from '../siege/siege.ts';
import { frame } from '../wire/frames.ts';

const ROOM = 75;
const AT_ONCE = 8;
const MODERATOR = { role: 'host' };

/** A little in, much out: what a node sends on somebody's behalf. */
export const AMPLIFYING_ATTACKS: readonly Attack[] = [
  {
    id: 'B6',
    title: `a room of ${ROOM} with as much metadata as there may be, which 4 others join and leave, again and again`,
    secondsMin: 15,
    run: async (siege) => {
      await fill(siege, await siege.greatestMetadata());
      await siege.lanes(4, () => joinAndLeave(siege));
    },
  },
  {
    id: 'B6-unread',
    title: 'the same, and those 4 read nothing',
    secondsMin: 15,
    run: async (siege) => {
      await fill(siege, await siege.greatestMetadata());
      const asking = [
        frame(`421${JSON.stringify(['join', { id: 1, room: 'large' }])}`),
        frame(`422${JSON.stringify(['leave', { id: 2 }])}`),
      ];
      await siege.lanes(4, async () => {
        const client = await siege.client(siege.somebody());
        client.socket.stopReading();
        for (let n = 0; n < 200 && !client.socket.isClosed && !siege.isOver; n += 1) {
          siege.write(client.socket, asking[n % 2] as Buffer);
          await sleep(20);
        }
        await siege.held(client.socket);
      });
    },
  },
  {
    id: 'B6-mute',
    title: `\`mute *\` and \`unmute *\` in a room of ${ROOM} with as much metadata as there may be`,
    secondsMin: 15,
    run: async (siege) => {
      const host = await siege.member('large', { claims: { ...siege.somebody(), ...MODERATOR } });
      await fill(siege, await siege.greatestMetadata());
      let id = 1;
      await siege.lanes(1, () => {
        id += 1;
        const action = id % 2 === 0 ? 'mute' : 'unmute';
        return order(siege, host, { id, action, peer: '*', kinds: ['audio'] });
      });
    },
  },
  {
    id: 'B6-names',
    title: `a room of ${ROOM} of whom 10 change their names without pause`,
    secondsMin: 15,
    run: async (siege) => {
      const members = await fill(siege, {});
      await siege.lanes(10, async (lane) => {
        const { client } = members[lane] ?? (await siege.member('large', { claims: siege.somebody() }));
        for (let id = 2; !client.socket.isClosed && !siege.isOver; id += 1)
          await siege.ask(client, 'update', { id, name: `name ${id}` });
        await siege.held(client.socket);
      });
    },
  },
  {
    id: 'B6-metadata',
    title: `a room of ${ROOM} of whom 10 replace their metadata, as much as there may be, without pause`,
    secondsMin: 15,
    run: async (siege) => {
      const metadata = await siege.greatestMetadata();
      const members = await fill(siege, {});
      await siege.lanes(10, async (lane) => {
        const { client } = members[lane] ?? (await siege.member('large', { claims: siege.somebody() }));
        for (let id = 2; !client.socket.isClosed && !siege.isOver; id += 1)
          await siege.ask(client, 'update', { id, metadata: { ...metadata, id } });
        await siege.held(client.socket);
      });
    },
  },
  {
    id: 'B6-resume',
    title: `\`resume\` with another epoch into a room of ${ROOM} with as much metadata as there may be, again and again`,
    secondsMin: 15,
    run: async (siege) => {
      await fill(siege, await siege.greatestMetadata());
      await siege.lanes(4, async () => {
        const person = siege.somebody();
        const { client, reply } = await siege.member('large', { claims: person });
        let now = client;
        for (let attempt = 1; !siege.isOver; attempt += 1) {
          const next = await siege.client(person);
          const { resume_token, epoch } = reply;
          const { ok } = await siege.ask(next, 'resume', { resume_token, seq: 1, epoch: epoch + 1, attempt });
          now.close();
          now = next;
          if (!ok) break;
        }
        now.close();
      });
    },
  },
  {
    id: 'B6-messages',
    title: `messages of 64 KB to a room of ${ROOM} who read nothing`,
    secondsMin: 15,
    run: async (siege) => {
      for (const { client } of await fill(siege, {})) client.socket.stopReading();
      await siege.lanes(4, async () => {
        const { client } = await siege.member('large', { claims: siege.somebody() });
        for (let id = 2; !client.socket.isClosed && !siege.isOver; id += 1)
          await siege.ask(client, 'message', { id, topic: 'x', data: 'x'.repeat(63_000) });
      });
    },
  },
];

async function joinAndLeave(siege: Siege): Promise<void> {
  const client = await siege.client(siege.somebody());
  while (!client.socket.isClosed && !siege.isOver) {
    const { ok } = await siege.ask(client, 'join', { id: 1, room: 'large' });
    if (ok) await siege.ask(client, 'leave', { id: 2 });
    else await sleep(5);
  }
}

/** The room's members; fewer, where the node does not let so many in within some seconds. */
async function fill(siege: Siege, metadata: object): Promise<Member[]> {
  const members: Member[] = [];
  let triesLeft = 2 * ROOM;
  const lane = async () => {
    while (triesLeft > 0 && members.length < ROOM && !siege.isOver) {
      triesLeft -= 1;
      const member = await siege
        .member('large', { claims: siege.somebody(), join: { metadata } })
        .catch(() => undefined);
      if (member === undefined) await sleep(20);
      else members.push(member);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return members;
}

async function order(siege: Siege, { client }: Member, payload: object): Promise<void> {
  if (client.socket.isClosed) return siege.over();
  const { ok } = await siege.ask(client, 'moderate', payload);
  if (!ok) await sleep(5);
}

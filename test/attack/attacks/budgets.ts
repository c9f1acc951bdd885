import { setTimeout as sleep } from 'node:timers/promises';

import type { Attack } from '../attack.ts';
import type { Member, Siege } from '../siege/siege.ts';
import type { Answer, Client } from '../wire/client.ts';
import { frame } from '../wire/frames.ts';

const MESSAGES = 32;
const DATA = 'x'.repeat(63_000);
const ROOM = 100;
const HONEST = ['127.0.3.1', '127.0.3.2'] as const;
const PROMISED = 5;
/** As docs/protocol.md has it for one session, twice: an address may have two of them. */
const BURST_BYTES = 4 * 1_048_576;
const BYTES_PER_S = 2 * 56 * 1_024;
/** Before it tries again: an attacker gains nothing by answers that it does not read. */
const REFUSED_MS = 5;

/** A full budget with each new session: joins, leaves and resumes around writing as much as there is. */
export const BUDGET_ATTACKS: readonly Attack[] = [
  {
    id: 'B3',
    title: `\`join\`, ${MESSAGES} messages of 64 KB, \`leave\`, again and again on one connection`,
    run: oneWriter,
  },
  {
    id: 'B3-room',
    title: `the same into a room of ${ROOM} who read`,
    auth: 'open',
    run: async (siege) => {
      const room = await crowd(siege, 'budget', ROOM - 1);
      await oneWriter(siege);
      for (const { client } of room) client.close();
    },
  },
  {
    id: 'B3-resume',
    title: `${MESSAGES} messages of 64 KB, \`resume\` on a new connection, again and again`,
    run: (siege) =>
      siege.lanes(1, async () => {
        const { client, reply } = await siege.member('budget', { claims: siege.somebody() });
        let now = client;
        let id = 1;
        for (let attempt = 1; !siege.isOver && !now.socket.isClosed; attempt += 1) {
          await Promise.all(
            Array.from({ length: MESSAGES }, () =>
              siege.ask(now, 'message', { id: ++id, topic: 'x', data: DATA }),
            ),
          );
          const next = await siege.client({ sub: 'attacker-1' });
          const { resume_token, seq, epoch } = { ...reply, seq: reply.seq };
          const { ok, body } = await siege.ask(next, 'resume', { resume_token, seq, epoch, attempt });
          if (!ok) return next.close();
          id = body.last_id;
          now = next;
        }
      }),
  },
  {
    id: 'B3-detached',
    title: `\`join\`, ${MESSAGES} messages of 64 KB, \`leave\` on 4 connections, while somebody in the room is detached and is owed ${PROMISED} messages`,
    secondsMin: 12,
    run: pushOff,
  },
];

/** As much as a budget holds, all at once, and away. Resolves with how many messages were accepted. */
async function cycle(siege: Siege, client: Client, room: string): Promise<number> {
  const joined = await siege.ask(client, 'join', { id: 1, room });
  if (!joined.ok) return sleep(REFUSED_MS, 0);
  const asked: Promise<Answer>[] = [];
  for (let n = 0; n < MESSAGES; n += 1)
    asked.push(siege.ask(client, 'message', { id: n + 2, topic: 'x', data: DATA }));
  const left = siege.ask(client, 'leave', { id: MESSAGES + 2 });
  const answers = await Promise.all(asked);
  await left;
  return answers.filter(({ ok }) => ok).length;
}

/** Whether sessions end or not: what one client gets written is what a connection may write, and no more. */
async function oneWriter(siege: Siege): Promise<void> {
  const startMs = performance.now();
  let messages = 0;
  const write = siege.lanes(1, async () => {
    const client = await siege.client();
    while (!client.socket.isClosed && !siege.isOver) messages += await cycle(siege, client, 'budget');
  });
  await Promise.race([write, sleep(siege.remainingMs - 200)]);
  const bytes = messages * DATA.length;
  const bytesMax = BURST_BYTES + (BYTES_PER_S * (performance.now() - startMs)) / 1_000;
  siege.check(
    `${Math.round(bytes / 1_024)} KB accepted, where a connection may write ${Math.round(bytesMax / 1_024)} KB`,
    bytes <= bytesMax,
  );
}

async function crowd(siege: Siege, room: string, count: number): Promise<Member[]> {
  const members: Member[] = [];
  while (members.length < count && !siege.isOver) {
    const member = await siege.member(room, { claims: siege.somebody() }).catch(() => undefined);
    if (member === undefined) await sleep(100);
    else members.push(member);
  }
  return members;
}

/** D5: no member's writing pushes off the log what others wrote for somebody within the window. */
async function pushOff(siege: Siege): Promise<void> {
  const victim = await siege.member('pushed', { claims: { sub: 'victim' }, from: HONEST[0], node: 1 });
  const friend = await siege.member('pushed', { claims: { sub: 'friend' }, from: HONEST[1], node: 1 });
  const { resume_token, seq, epoch, self } = victim.reply;
  let lastSeq: number = seq;
  victim.client.onEvent = (_, event) => {
    lastSeq = event.seq ?? lastSeq;
  };
  await sleep(200);
  victim.client.socket.destroy();
  await sleep(300);
  for (let n = 0; n < PROMISED; n += 1)
    await friend.client.ask('message', { id: n + 2, to: self.id, topic: 'owed', data: n });
  const attack = siege.lanes(4, async () => {
    const client = await siege.client(siege.somebody());
    while (!client.socket.isClosed && siege.remainingMs > 3_000) await cycle(siege, client, 'pushed');
    await sleep(100);
  });
  await sleep(Math.max(0, siege.remainingMs - 2_500));
  let delivered = 0;
  const back = await siege.client({ sub: 'victim' }, HONEST[0], 1);
  back.onEvent = (name, { topic }) => {
    if (name === 'message' && topic === 'owed') delivered += 1;
  };
  const resumed = await back.ask('resume', { resume_token, seq: lastSeq, epoch });
  await sleep(1_000);
  siege.check(
    `${delivered} of ${PROMISED} owed messages came (resume: ${resumed.ok ? `recovered ${resumed.body?.recovered}` : resumed.code})`,
    delivered === PROMISED,
  );
  await attack;
}

/** One connection that asks the same without pause: the answer may be refused, the core is not its own. */
function fullSpeed(id: string, title: string, requests: (n: number) => string): Attack {
  return {
    id: `FULL-${id}`,
    title: `one connection at full speed: ${title}`,
    bars: { coreShareMax: 0.1, mustClose: true },
    async run(siege) {
      const { client } = await siege.member('full', { claims: siege.somebody() });
      siege.countAnswers(client.socket);
      let id = 1;
      await siege.flood(
        client.socket,
        () => Buffer.concat(Array.from({ length: 50 }, () => frame(requests(++id)))),
        50,
      );
    },
  };
}

const event = (id: number, name: string, payload: object) => `42${id}${JSON.stringify([name, payload])}`;

export const FULL_SPEED_ATTACKS: readonly Attack[] = [
  fullSpeed('message', 'messages', (id) => event(id, 'message', { id, topic: 'x', data: 'x' })),
  fullSpeed('ephemeral', 'ephemeral messages', (id) =>
    event(id, 'message', { topic: 'x', data: 'x', ephemeral: true }),
  ),
  fullSpeed('signal', 'candidates to nobody', (id) =>
    event(id, 'signal', { id, to: 'nobody', candidate: null }),
  ),
  fullSpeed('update', 'updates of the name', (id) => event(id, 'update', { id, name: `n${id}` })),
  fullSpeed('moderate', 'orders that it may not give', (id) =>
    event(id, 'moderate', { id, action: 'mute', peer: '*', kinds: ['audio'] }),
  ),
  fullSpeed('join', 'joins and leaves', (id) =>
    id % 2 === 0 ? event(id, 'leave', { id: 2 }) : event(id, 'join', { id: 1, room: `full-${id % 50}` }),
  ),
  fullSpeed('resume', 'forged resumes', (id) =>
    event(id, 'resume', { resume_token: `forged-${id}`, seq: 1, epoch: 1 }),
  ),
  fullSpeed('unknown', 'requests that nobody knows', (id) => event(id, 'unheard-of', {})),
];

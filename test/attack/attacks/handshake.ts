import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@fenghuo/loadtest';

import type { Attack } from '../attack.ts';
import type { Siege } from '../siege/siege.ts';
import { frame, repeated } from '../wire/frames.ts';
import type { Signature } from '../wire/tokens.ts';

const BETWEEN_MS = 50;
const HELD_MS = 500;
const PONG_EVERY_MS = 3_000;
const OPEN_CONNECTS = 8_000;
const TOKEN_CONNECTS = 480;
const TOKEN_SOCKETS = 21;

/** What a client may send once, sent again: CONNECT, DISCONNECT, and whatever else of Socket.IO in any order. */
export const HANDSHAKE_ATTACKS: readonly Attack[] = [
  { id: 'A1', title: '`40`, `41`, `40` on one WebSocket, again and again', run: again },
  { id: 'A1-open', title: 'the same with AUTH=open', auth: 'open', run: again },
  {
    id: 'A1-join',
    title: '`40`, a join, `41`, `40`, a join on one WebSocket, in one write',
    run: (siege) =>
      siege.lanes(4, async (lane) => {
        const socket = await siege.socket();
        const connect = `40${siege.auth()}`;
        const join = `421${JSON.stringify(['join', { id: 1, room: `a${lane}` }])}`;
        siege.write(
          socket,
          Buffer.concat([connect, join, '41', connect, join].map((text) => frame(text))),
          5,
        );
        await siege.held(socket, HELD_MS);
        socket.destroy();
      }),
  },
  {
    id: 'A1-any',
    title: 'packets of Engine.IO and Socket.IO in any order, in one write or one by one',
    run: anyOrder,
  },
  { id: 'A1-any-open', title: 'the same with AUTH=open', auth: 'open', run: anyOrder },
  ...(['ES256', 'EdDSA', 'RS256'] as const).map((alg) => ({
    id: `A2-${alg.toLowerCase()}`,
    title: `\`40{token}\` twice in one write, with ${alg}`,
    run: (siege: Siege) => twice(siege, alg),
  })),
  {
    id: 'A3',
    title: `${OPEN_CONNECTS} \`40\` in one write, then a \`3\`, with AUTH=open`,
    auth: 'open',
    secondsMin: 20,
    run: (siege) => many(siege, 1, OPEN_CONNECTS),
  },
  {
    id: 'A3-token',
    secondsMin: 20,
    title: `${TOKEN_CONNECTS} \`40{token}\` in one write on each of ${TOKEN_SOCKETS} sockets, then a \`3\``,
    run: (siege) => many(siege, TOKEN_SOCKETS, TOKEN_CONNECTS),
  },
  {
    id: 'A3-namespaces',
    title: `\`40/n,{token}\` of ${OPEN_CONNECTS} namespaces in one write`,
    run: (siege) =>
      siege.lanes(2, async () => {
        const socket = await siege.socket();
        const frames = Array.from({ length: OPEN_CONNECTS }, (_, n) => frame(`40/n${n},${siege.auth()}`));
        siege.write(socket, Buffer.concat(frames), OPEN_CONNECTS);
        await siege.held(socket, HELD_MS);
        socket.destroy();
      }),
  },
];

async function again(siege: Siege): Promise<void> {
  await siege.lanes(1, async () => {
    const socket = await siege.socket();
    for (const text of [`40${siege.auth()}`, '41', `40${siege.auth()}`]) {
      siege.write(socket, frame(text));
      await sleep(BETWEEN_MS);
    }
    await siege.held(socket, HELD_MS);
    socket.destroy();
  });
}

async function anyOrder(siege: Siege): Promise<void> {
  const random = seededRandom(1);
  const connect = `40${siege.auth()}`;
  const packets = [
    connect,
    connect,
    '41',
    `421${JSON.stringify(['join', { id: 1, room: 'any' }])}`,
    `422${JSON.stringify(['leave', { id: 2 }])}`,
    `423${JSON.stringify(['resume', { resume_token: 'x', seq: 1, epoch: 1 }])}`,
    '42["connect"]',
    '42["disconnect"]',
    '430[]',
    '44{}',
    '451-["join",{"_placeholder":true,"num":0}]',
    '40/other,{}',
    '41/other,',
    '1',
    '2probe',
    '3',
    '3probe',
    '5',
    '6',
    'b',
    '',
  ].map((text) => frame(text));
  packets.push(frame(Buffer.from([4, 1, 2]), { opcode: 'binary' }), frame('', { opcode: 'ping' }));
  await siege.lanes(8, async () => {
    const socket = await siege.socket();
    const length = 2 + Math.floor(random() * 10);
    const some = Array.from(
      { length },
      () => packets[Math.floor(random() * packets.length)] ?? Buffer.alloc(0),
    );
    // In one write, or with time between for what each sets off.
    const isOneWrite = random() < 0.5;
    for (const packet of isOneWrite ? [Buffer.concat(some)] : some) {
      siege.write(socket, packet, isOneWrite ? length : 1);
      if (!isOneWrite) await siege.held(socket, BETWEEN_MS);
    }
    await siege.held(socket, HELD_MS);
    socket.destroy();
  });
}

async function twice(siege: Siege, alg: Signature): Promise<void> {
  await siege.lanes(1, async () => {
    const socket = await siege.socket();
    siege.write(socket, repeated(frame(`40${siege.auth({}, alg)}`), 2), 2);
    await siege.held(socket, HELD_MS);
    socket.destroy();
  });
}

/** Sockets stay open, as long as the node lets them: what is counted of them stays as long. */
async function many(siege: Siege, sockets: number, connects: number): Promise<void> {
  const bytes = repeated(frame(`40${siege.auth()}`), connects);
  await siege.lanes(sockets, async () => {
    const socket = await siege.socket();
    siege.write(socket, bytes, connects);
    while (!socket.isClosed && !siege.isOver) {
      await siege.held(socket, PONG_EVERY_MS);
      siege.write(socket, frame('3'));
    }
  });
}

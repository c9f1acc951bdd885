import type { Contestant } from './contestant.ts';
import { fenghuo } from './fenghuo.ts';
import { peerjs } from './peerjs.ts';
import { rawWs } from './raw-ws.ts';
import { rawWsBatched } from './raw-ws-batched.ts';
import { rawWsLog } from './raw-ws-log.ts';
import { socketIoClassic } from './socket-io-classic.ts';
import { socketIoMemory } from './socket-io-memory.ts';
import { socketIoSharded } from './socket-io-sharded.ts';

export type { Contestant } from './contestant.ts';

/** In the order of the table. */
export const CONTESTANTS: readonly Contestant[] = [
  fenghuo,
  socketIoClassic,
  socketIoSharded,
  socketIoMemory,
  peerjs,
  rawWs,
  rawWsBatched,
  rawWsLog,
];

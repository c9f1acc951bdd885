import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { wireError } from '@fenghuo/protocol';
import { comeBackAfter, enter, mayWait, type Pace } from '../domain/pace.ts';
import { Queue } from '../domain/queue.ts';
import { turnAway } from './turn-away.ts';

/** Lets newcomers in at the node's pace. A few wait for a moment, unanswered; the others are told when to come back. */
export interface Door {
  /** Newcomers of whom nothing has become yet. */
  readonly waiting: number;
  close(): void;
}

export interface DoorOptions {
  readonly pace: Pace;
  readonly nowMs: () => number;
  /** In [0, 1). */
  readonly chance: () => number;
  /** Somebody was told to come back; `flood`: in HTTP, since even to tell more would have been too much. */
  readonly onRefused: (how: 'rate_limited' | 'flood') => void;
}

const STEP_MS = 10;
const TURNED_AWAY_PER_STEP = 8;
/** In which the pace may rise so far that nobody needs to be sent away. */
const PATIENCE_MS = 300;
/** Those whom it would take longer to turn away than clients wait for an answer. */
const TO_TURN_AWAY_MAX = 2_000;

type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
type Newcomer = Parameters<OnUpgrade>;

/** Who is to be turned away, unless the pace rises. */
interface Unlucky {
  readonly newcomer: Newcomer;
  readonly sinceMs: number;
}

/** To be called once socket.io listens: stands between it and the server. */
export function openDoor(server: HttpServer, { pace, nowMs, chance, onRefused }: DoorOptions): Door {
  const upgrade = server.listeners('upgrade') as OnUpgrade[];
  const line = new Queue<Newcomer>();
  const toTurnAway = new Queue<Unlucky>();
  let timer: NodeJS.Timeout | undefined;

  server.removeAllListeners('upgrade');
  server.on('upgrade', (...newcomer: Newcomer) => {
    if (line.size === 0 && enter(pace, nowMs())) return letIn(newcomer);
    const isPatient = mayWait(pace, line.size);
    if (!isPatient && toTurnAway.size >= TO_TURN_AWAY_MAX) return cut(newcomer);
    // What it suffers while it waits is noticed when its turn comes.
    newcomer[1].on('error', ignore);
    if (isPatient) line.push(newcomer);
    else toTurnAway.push({ newcomer, sinceMs: nowMs() });
    timer ??= setInterval(step, STEP_MS);
  });

  function step(): void {
    while (line.size > 0 && enter(pace, nowMs())) letIn(line.take());
    // The pace may have risen since they came.
    while (toTurnAway.size > 0 && mayWait(pace, line.size)) line.push(toTurnAway.take().newcomer);
    const hopelessMs = nowMs() - PATIENCE_MS;
    for (let n = 0; n < TURNED_AWAY_PER_STEP && (toTurnAway.next?.sinceMs ?? Infinity) < hopelessMs; n++)
      sendBack(toTurnAway.take().newcomer);
    if (line.size + toTurnAway.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  function letIn([request, socket, head]: Newcomer): void {
    if (socket.destroyed) return;
    socket.off('error', ignore);
    const before = socket.rawListeners('close');
    // What is written by the end of the engine's own steps, the answer and its first packet, is one write.
    socket.cork();
    for (const each of upgrade) each.call(server, request, socket, head);
    queueMicrotask(() => socket.uncork());
    forgetRequest(socket, before);
  }

  function sendBack([request, socket]: Newcomer): void {
    if (socket.destroyed) return;
    onRefused('rate_limited');
    const waitMs = comeBackAfter(pace, nowMs(), chance());
    turnAway(request, socket, wireError('rate_limited', 'The node takes no more right now.', waitMs));
  }

  function cut([, socket]: Newcomer): void {
    onRefused('flood');
    const waitS = Math.ceil(comeBackAfter(pace, nowMs(), chance()) / 1_000);
    socket.on('error', ignore);
    socket.end(
      `HTTP/1.1 503 Service Unavailable\r\nRetry-After: ${waitS}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    );
  }

  return {
    get waiting() {
      return line.size + toTurnAway.size;
    },
    close() {
      clearInterval(timer);
      while (line.size > 0) line.take()[1].destroy();
      while (toTurnAway.size > 0) toTurnAway.take().newcomer[1].destroy();
    },
  };
}

/**
 * For middlewares, of which there are none here, engine.io's stand-in for a response waits once for the end of its socket,
 * and with it the request is kept: a sixth of what an idle connection takes.
 */
function forgetRequest(socket: Duplex, before: readonly unknown[]): void {
  for (const each of socket.rawListeners('close') as { listener?: () => void }[])
    if (each.listener !== undefined && !before.includes(each)) socket.off('close', each.listener);
}

function ignore(): void {}

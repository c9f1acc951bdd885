import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { wireError } from '@fenghuo/protocol';
import { comeBackAfter, enter, mayWait, type Pace } from '../domain/pace.ts';
import { Queue } from '../domain/queue.ts';
import { turnAway } from './turn-away.ts';
import { faultOf, refuseUpgrade, type UpgradeRefusal } from './upgrade.ts';

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
  /** Of the address of a newcomer: 0, or the milliseconds until it may open another connection. */
  readonly waitMs: (request: IncomingMessage) => number;
  /** For what a request is refused before anything of a connection is made; undefined: for nothing. */
  readonly refusalOf: (request: IncomingMessage) => UpgradeRefusal | undefined;
  readonly letIn: OnUpgrade;
  /** Its address goes on with handshakes that it may not make. */
  readonly onFlood: (request: IncomingMessage) => void;
  /** Somebody was told to come back; `flood`: in HTTP, since even to tell more would have been too much. */
  readonly onRefused: (how: 'rate_limited' | 'flood') => void;
}

const STEP_MS = 10;
const TURNED_AWAY_PER_STEP = 8;
/** In which the pace may rise so far that nobody needs to be sent away. */
const PATIENCE_MS = 300;
/** Those whom it would take longer to turn away than clients wait for an answer. */
const TO_TURN_AWAY_MAX = 2_000;
/** Of addresses that are over their limit: a few are told so in words, the rest of a flood is cut. */
const EXCESS_MAX = 50;
const EXCESS_PER_STEP = 2;
/** They do not come back in one moment. */
const EXCESS_SPREAD_MS = 1_000;

export type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
type Newcomer = Parameters<OnUpgrade>;

/** Who is to be turned away: unless the pace rises, or for its own address's sake. */
interface Unlucky {
  readonly newcomer: Newcomer;
  readonly sinceMs: number;
}
interface Excess {
  readonly newcomer: Newcomer;
  readonly waitMs: number;
}

/** Stands between the server and the engine. */
export function openDoor(server: HttpServer, options: DoorOptions): Door {
  const { pace, nowMs, chance, onRefused } = options;
  const line = new Queue<{ readonly newcomer: Newcomer }>();
  const toTurnAway = new Queue<Unlucky>();
  const excess = new Queue<Excess>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  server.on('upgrade', (...newcomer: Newcomer) => {
    const [request, socket] = newcomer;
    if (isClosed) return void socket.destroy();
    const refusal = options.refusalOf(request);
    if (refusal !== undefined) return refuseUpgrade(socket, refusal);
    const waitMs = options.waitMs(request);
    if (waitMs > 0) return tooMany(newcomer, waitMs + EXCESS_SPREAD_MS * (0.5 + chance() / 2));
    const fault = faultOf(request);
    if (fault !== undefined) return refuseUpgrade(socket, fault);
    if (line.size === 0 && enter(pace, nowMs())) return letIn(newcomer);
    const isPatient = mayWait(pace, line.size);
    if (isPatient) return keep(line, { newcomer });
    if (toTurnAway.size < TO_TURN_AWAY_MAX) return keep(toTurnAway, { newcomer, sinceMs: nowMs() });
    cut(newcomer, 503, comeBackAfter(pace, nowMs(), chance()));
  });

  function tooMany(newcomer: Newcomer, waitMs: number): void {
    if (excess.size < EXCESS_MAX) keep(excess, { newcomer, waitMs: Math.round(waitMs) });
    else {
      options.onFlood(newcomer[0]);
      cut(newcomer, 429, waitMs);
    }
  }

  function keep<Kept extends { readonly newcomer: Newcomer }>(queue: Queue<Kept>, kept: Kept): void {
    // What it suffers while it waits is noticed when its turn comes.
    kept.newcomer[1].on('error', ignore);
    queue.push(kept);
    timer ??= setInterval(step, STEP_MS);
  }

  function step(): void {
    while (line.size > 0 && enter(pace, nowMs())) letIn(line.take().newcomer);
    // The pace may have risen since they came.
    while (toTurnAway.size > 0 && mayWait(pace, line.size)) line.push(toTurnAway.take());
    const hopelessMs = nowMs() - PATIENCE_MS;
    for (let n = 0; n < TURNED_AWAY_PER_STEP && (toTurnAway.next?.sinceMs ?? Infinity) < hopelessMs; n++)
      sendBack(toTurnAway.take().newcomer, comeBackAfter(pace, nowMs(), chance()));
    for (let n = 0; n < EXCESS_PER_STEP && excess.size > 0; n++) {
      const { newcomer, waitMs } = excess.take();
      sendBack(newcomer, waitMs);
    }
    if (line.size + toTurnAway.size + excess.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  function letIn([request, socket, head]: Newcomer): void {
    if (socket.destroyed) return;
    socket.off('error', ignore);
    const before = socket.rawListeners('close');
    // What is written by the end of the engine's own steps, the answer and its first packet, is one write.
    socket.cork();
    options.letIn(request, socket, head);
    queueMicrotask(() => socket.uncork());
    forgetRequest(socket, before);
  }

  function sendBack([request, socket]: Newcomer, waitMs: number): void {
    if (socket.destroyed) return;
    onRefused('rate_limited');
    turnAway(request, socket, wireError('rate_limited', 'Too many newcomers at once.', waitMs));
  }

  function cut([, socket]: Newcomer, status: 429 | 503, waitMs: number): void {
    onRefused('flood');
    refuseUpgrade(socket, { status, headers: { 'Retry-After': String(Math.ceil(waitMs / 1_000)) } });
  }

  return {
    get waiting() {
      return line.size + toTurnAway.size + excess.size;
    },
    close() {
      isClosed = true;
      clearInterval(timer);
      for (const queue of [line, toTurnAway, excess])
        while (queue.size > 0) queue.take().newcomer[1].destroy();
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

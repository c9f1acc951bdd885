import { setTimeout as sleep } from 'node:timers/promises';

import type { SignalKind, Ticket, Wire } from '../wires/wire.ts';
import { LeanWebSocket } from './web-socket.ts';

/** One client that has joined its room. */
export interface Seat {
  readonly id: string;
  /** Takes each signal's frame as it came. */
  onSignal: (frame: Buffer) => void;
  /** How often it was told to come back, or cut off, before it was in. */
  readonly tries: number;
  /** Refused signals, and connections that ended by themselves. */
  readonly failures: string[];
  signal(to: string, kind: SignalKind, body: string): void;
  close(): void;
}

/** Socket.io's client comes back after so long, give or take a half. */
const BACKOFF_MS = 1_000;
const HEARTBEAT_MS = 5_000;
const TRY_MS = 20_000;

/** Connects and joins, as often as it takes until `deadlineMs` of performance.now(). Throws where it is not in by then. */
export async function takeSeat(wire: Wire, port: number, ticket: Ticket, deadlineMs: number): Promise<Seat> {
  for (let tries = 1; ; tries += 1) {
    const outcome = await tryToJoin(wire, port, ticket, tries);
    if ('seat' in outcome) return outcome.seat;
    const again = outcome.again ?? BACKOFF_MS * (0.5 + Math.random());
    if (performance.now() + again > deadlineMs)
      throw new Error(`a client could not join in time: ${outcome.why}`);
    await sleep(again);
  }
}

type Outcome = { readonly seat: Seat } | { readonly why: string; readonly again?: number | undefined };

function tryToJoin(wire: Wire, port: number, ticket: Ticket, tries: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const failures: string[] = [];
    let seat: Seat | undefined;
    let isClosing = false;
    let heartbeat: NodeJS.Timeout | undefined;
    const tooLate = setTimeout(() => giveUp('no answer'), TRY_MS);
    const giveUp = (why: string, again?: number) => {
      clearTimeout(tooLate);
      isClosing = true;
      socket.close();
      resolve({ why, again });
    };
    const socket = new LeanWebSocket({ port, from: ticket.from }, wire.path(ticket), {
      opened() {
        if (wire.opening !== undefined) socket.send(wire.opening(ticket));
      },
      frame(frame) {
        const heard = wire.read(frame, ticket);
        if (heard.type === 'signal') seat?.onSignal(frame);
        else if (heard.type === 'say') socket.send(heard.text);
        else if (heard.type === 'refused') {
          if (seat === undefined) giveUp(heard.why, heard.again);
          else failures.push(heard.why);
        } else if (heard.type === 'joined') {
          clearTimeout(tooLate);
          seat = seatOf(heard.id);
          resolve({ seat });
        }
      },
      closed(why) {
        clearInterval(heartbeat);
        if (isClosing) return;
        if (seat === undefined) giveUp(why);
        else failures.push(why);
      },
    });

    function seatOf(id: string): Seat {
      const { heartbeat: text } = wire;
      if (text !== undefined) heartbeat = setInterval(() => socket.send(text), HEARTBEAT_MS);
      let sent = 0;
      return {
        id,
        tries,
        failures,
        onSignal: () => {},
        signal(to, kind, body) {
          socket.send(wire.signal(to, kind, body, sent));
          sent += 1;
        },
        close() {
          isClosing = true;
          socket.close();
        },
      };
    }
  });
}

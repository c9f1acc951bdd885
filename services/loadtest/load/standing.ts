import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerId } from '@fenghuo/protocol';

import { pick } from '../random.ts';
import type { LogEvent, SimulatedPeer } from '../simulated-peer.ts';
import type { Field } from './field.ts';
import { isOurs, placeIn } from './plan.ts';

/** One place in a room, and who has it now. */
export interface Seat {
  readonly room: number;
  readonly member: number;
  peer: SimulatedPeer;
  /** It is about to leave: nobody sends to it any more, and it sends nothing. */
  isLeaving: boolean;
}

/** Joins under way at once: more would only wait for each other in this process. */
const AT_ONCE_MAX = 400;

/** This worker's part of the rooms that stand for the whole run. */
export class Standing {
  readonly seats: Seat[] = [];
  /** Called for each signal that reaches one of them. */
  onSignal: ((to: Seat, from: PeerId, event: LogEvent) => void) | undefined;
  readonly #field: Field;
  /** Seats by room: of those rooms in which somebody else can be sent to. */
  readonly #rooms = new Map<number, Seat[]>();

  constructor(field: Field) {
    this.#field = field;
    const { plan, share } = field;
    for (let room = 0; room < plan.rooms; room++) {
      for (let member = 0; member < plan.peers; member++) {
        if (!isOurs(room, member, plan, share)) continue;
        const seat = { room, member, peer: this.newcomer(room, member), isLeaving: false };
        this.seats.push(seat);
        const seats = this.#rooms.get(room);
        if (seats === undefined) this.#rooms.set(room, [seat]);
        else seats.push(seat);
      }
    }
  }

  /** Somebody for a place. */
  newcomer(room: number, member: number): SimulatedPeer {
    const { plan } = this.#field;
    const { suffix, first, isAtHome } = placeIn(plan, room, member);
    return this.#field.newcomer({
      room: `load-${plan.runId}-r${room}${suffix}`,
      name: `r${room}-m${member}`,
      first,
      ...(isAtHome === undefined ? {} : { way: isAtHome ? 'relay_local' : 'relay_region' }),
      onSignal: (_, from, event) => {
        const seat = this.#rooms.get(room)?.find((each) => each.member === member);
        if (seat !== undefined) this.onSignal?.(seat, from, event);
      },
    });
  }

  /** Fills the rooms at a steady pace. Resolves once all have joined, or it is called off. */
  async fill(perSecond: number, signal: AbortSignal): Promise<void> {
    const startMs = performance.now();
    const joins = new Set<Promise<void>>();
    for (const [index, { peer }] of this.seats.entries()) {
      const waitMs = startMs + (index / perSecond) * 1_000 - performance.now();
      if (waitMs > 1) await sleep(waitMs, undefined, { signal }).catch(() => {});
      while (joins.size >= AT_ONCE_MAX && !signal.aborted) await Promise.race(joins);
      if (signal.aborted) return;
      const join = peer.start().finally(() => joins.delete(join));
      joins.add(join);
    }
    await Promise.race([Promise.all(joins), aborted(signal)]);
  }

  /** Somebody of ours and somebody else of the room, at random; undefined where that room has nobody to send to. */
  pair(): { from: Seat; to: PeerId } | undefined {
    if (this.seats.length === 0) return undefined;
    const from = pick(this.#field.random, this.seats);
    if (from.isLeaving || from.peer.session === undefined) return undefined;
    const to = this.#field.plan.isAcross ? this.#otherByRoster(from) : this.#otherSeat(from);
    return to === undefined ? undefined : { from, to };
  }

  /** This worker's places in a place's room, itself included. */
  roomOf(seat: Seat): readonly Seat[] {
    return this.#rooms.get(seat.room) ?? [];
  }

  #otherSeat(from: Seat): PeerId | undefined {
    const others = this.roomOf(from).filter(
      (seat) => seat !== from && !seat.isLeaving && seat.peer.session !== undefined,
    );
    return others.length === 0 ? undefined : pick(this.#field.random, others).peer.session?.id;
  }

  /** Whoever is there: the others may be other workers' clients. */
  #otherByRoster({ peer }: Seat): PeerId | undefined {
    const others = [...(peer.session?.roster.keys() ?? [])];
    return others.length === 0 ? undefined : pick(this.#field.random, others);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

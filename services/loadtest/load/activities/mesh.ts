import type { PeerId } from '@fenghuo/protocol';

import { pick } from '../../random.ts';
import type { LogEvent } from '../../simulated-peer.ts';
import { poissonTimes } from '../arrivals.ts';
import { endMsOf } from '../plan.ts';
import type { Seat } from '../standing.ts';
import type { Activity, CallSums, Stage } from './activity.ts';
import { ratePerWorker, scheduleRandom } from './stream.ts';

/** Of a negotiation: two offers that collide, the polite one's answer, its offer again, the other's answer. */
const SIGNALS = 5;

/** A negotiation under way between two, by the id of the polite one. */
interface Negotiation {
  readonly dueMs: number;
  readonly polite: Seat;
  readonly impolite: Seat;
  hasYielded: boolean;
  /** Offers of the polite one that reached the other: the first collided, and does not count. */
  offersHeard: number;
}

/**
 * Two of a room make an offer in the same moment, again and again: of two colliding offers the impolite one's counts
 * (the larger `joined_seq` is polite), so the polite one answers it and makes its own anew, which the other answers.
 */
export function startMesh(stage: Stage): Activity {
  const { field, standing, agenda, startMs } = stage;
  const calls: CallSums = { started: 0, connected: 0, failed: 0, hungUp: 0 };
  const underWay = new Map<string, Negotiation>();
  let planned = 0;
  let isEnded = false;

  function begin(dueMs: number): void {
    if (isEnded) return;
    planned += SIGNALS;
    const pair = pairOf();
    if (pair === undefined) {
      field.sums.notSent += SIGNALS;
      return;
    }
    calls.started += 1;
    const [impolite, polite] = pair;
    underWay.set(keyOf(impolite, polite), { dueMs, polite, impolite, hasYielded: false, offersHeard: 0 });
    send(impolite, polite, 'offer', dueMs);
    send(polite, impolite, 'offer', dueMs);
  }

  /** Two of a room who are not negotiating with each other yet, the earlier one first. */
  function pairOf(): [Seat, Seat] | undefined {
    const one = pick(field.random, standing.seats);
    const others = standing.roomOf(one).filter((seat) => seat !== one && seat.peer.session !== undefined);
    if (one.peer.session === undefined || others.length === 0) return undefined;
    const other = pick(field.random, others);
    const pair = [one, other].sort((a, b) => joinedSeq(a) - joinedSeq(b)) as [Seat, Seat];
    return underWay.has(keyOf(...pair)) ? undefined : pair;
  }

  function heard(to: Seat, from: PeerId, event: LogEvent): void {
    const { description } = event as { description?: { type: string } };
    const other = standing.roomOf(to).find(({ peer }) => peer.session?.id === from);
    if (description === undefined || other === undefined) return;
    const negotiation = underWay.get(keyOf(to, other)) ?? underWay.get(keyOf(other, to));
    if (negotiation === undefined) return;
    const nowMs = performance.now();
    const { polite, impolite } = negotiation;
    if (to === polite && description.type === 'offer' && !negotiation.hasYielded) {
      negotiation.hasYielded = true;
      send(polite, impolite, 'answer', nowMs);
      send(polite, impolite, 'offer', nowMs);
    } else if (to === impolite && description.type === 'offer') {
      negotiation.offersHeard += 1;
      if (negotiation.offersHeard === 2) send(impolite, polite, 'answer', nowMs);
    } else if (to === polite && description.type === 'answer') {
      underWay.delete(keyOf(impolite, polite));
      calls.connected += 1;
      field.latencies.record('call_setup', nowMs - negotiation.dueMs);
    }
  }

  function send(from: Seat, to: Seat, kind: 'offer' | 'answer', dueMs: number): void {
    const { session } = to.peer;
    if (session === undefined) field.sums.notSent += 1;
    else field.send(from.peer, session.id, kind, dueMs);
  }

  standing.onSignal = heard;
  const times = poissonTimes(scheduleRandom(field), ratePerWorker(field) / SIGNALS, endMsOf(field.plan));
  agenda.follow(startMs, times, begin);
  return {
    calls,
    get planned() {
      return planned;
    },
    get isDone() {
      return underWay.size === 0;
    },
    end: () => {
      isEnded = true;
    },
  };
}

function keyOf(impolite: Seat, polite: Seat): string {
  return `${impolite.room} ${impolite.member} ${polite.member}`;
}

function joinedSeq({ peer }: Seat): number {
  return peer.session?.self.joined_seq ?? 0;
}

import { setTimeout as sleep } from 'node:timers/promises';

import { pick, seededRandom } from '../../random.ts';
import { poissonTimes } from '../arrivals.ts';
import { endMsOf } from '../plan.ts';
import type { Seat } from '../standing.ts';
import type { Activity, Stage } from './activity.ts';
import { startStream } from './stream.ts';

const PENDING_POLL_MS = 100;
const PENDING_MS_MAX = 10_000;
const LATE_MS = 1_000;

/** Signals between people who come and go: at each arrival somebody leaves a room, and somebody else takes the place. */
export function startChurn(stage: Stage, rateShare = 1): Activity {
  const { field, standing, agenda, startMs } = stage;
  const { plan, share } = field;
  const stream = startStream(stage, rateShare);
  let changing = 0;
  let isEnded = false;

  async function change(seat: Seat): Promise<void> {
    const { peer } = seat;
    const { session } = peer;
    if (session === undefined) return;
    seat.isLeaving = true;
    changing += 1;
    // Who leaves with something on its way could not tell a loss from a goodbye.
    const untilMs = performance.now() + PENDING_MS_MAX;
    while (field.ledger.pendingOf(session.id) > 0 && performance.now() < untilMs)
      await sleep(PENDING_POLL_MS);
    await field.leave(peer);
    seat.peer = standing.newcomer(seat.room, seat.member);
    await seat.peer.start();
    seat.isLeaving = false;
    changing -= 1;
    await sleep(LATE_MS);
    field.forget([session]);
  }

  const random = seededRandom(plan.seed + 15_485_863 * (share.index + 1));
  const times = poissonTimes(random, plan.churnPerS / share.of, endMsOf(plan));
  agenda.follow(startMs, times, () => {
    const staying = standing.seats.filter(({ isLeaving }) => !isLeaving);
    if (!isEnded && staying.length > 0) void change(pick(random, staying));
  });
  return {
    get planned() {
      return stream.planned;
    },
    get isDone() {
      return changing === 0;
    },
    end: () => {
      isEnded = true;
      stream.end();
    },
  };
}

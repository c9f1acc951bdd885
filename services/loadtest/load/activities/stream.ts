import { seededRandom } from '../../random.ts';
import { poissonTimes } from '../arrivals.ts';
import type { Field } from '../field.ts';
import { endMsOf } from '../plan.ts';
import type { Activity, Stage } from './activity.ts';

/** Now and then an offer, as in calls; the others are candidates. */
const OFFER_EVERY = 16;

/** Independent signals between people who stand in rooms, whatever becomes of those before. */
export function startStream({ field, standing, agenda, startMs }: Stage, rateShare = 1): Activity {
  let planned = 0;
  let isEnded = false;
  const times = poissonTimes(scheduleRandom(field), rateShare * ratePerWorker(field), endMsOf(field.plan));
  agenda.follow(startMs, times, (dueMs) => {
    if (isEnded) return;
    planned += 1;
    const pair = standing.pair();
    if (pair === undefined) field.sums.notSent += 1;
    else field.send(pair.from.peer, pair.to, planned % OFFER_EVERY === 0 ? 'offer' : 'candidate', dueMs);
  });
  return {
    get planned() {
      return planned;
    },
    isDone: true,
    end: () => {
      isEnded = true;
    },
  };
}

/** Its own chances: what clients draw meanwhile must not move the schedule. */
export function scheduleRandom({ plan, share }: Field): () => number {
  return seededRandom(plan.seed + 104_729 * (share.index + 1));
}

export function ratePerWorker({ plan, share }: Field): number {
  return plan.rate / share.of;
}

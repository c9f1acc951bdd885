import { pick, seededRandom } from '../../random.ts';
import { poissonTimes } from '../arrivals.ts';
import { endMsOf } from '../plan.ts';
import type { Activity, Stage } from './activity.ts';
import { startCalls } from './calls.ts';
import { startChurn } from './churn.ts';

/** Of the signals: calls are what makes rooms begin and end. */
const CALLS_SHARE = 0.2;
/** To those who leave. */
const CUTS_SHARE = 0.2;

/** Everything that honest people do, for hours: they talk, come and go, call each other, lose their connection and resume. */
export function startSoak(stage: Stage): Activity {
  const { field, standing, agenda, startMs } = stage;
  const { plan, share } = field;
  const calls = startCalls(stage, CALLS_SHARE);
  const churn = startChurn(stage, 1 - CALLS_SHARE);
  const random = seededRandom(plan.seed + 32_452_843 * (share.index + 1));
  const cutsPerS = (CUTS_SHARE * plan.churnPerS) / share.of;
  let isEnded = false;
  agenda.follow(startMs, poissonTimes(random, cutsPerS, endMsOf(plan)), () => {
    const staying = standing.seats.filter(({ isLeaving }) => !isLeaving);
    if (!isEnded && staying.length > 0) field.cut(pick(random, staying).peer);
  });
  return {
    ...(calls.calls === undefined ? {} : { calls: calls.calls }),
    get planned() {
      return calls.planned + churn.planned;
    },
    get isDone() {
      return calls.isDone && churn.isDone;
    },
    end: () => {
      isEnded = true;
      calls.end();
      churn.end();
    },
  };
}

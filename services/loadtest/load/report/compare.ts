import { StartFailure } from '@fenghuo/cluster';
import { type Change, valueText } from '@fenghuo/web/report';

import { readResult } from './read-result.ts';
import { LATENCY_NAMES, type Result } from './result.ts';
import { kindOf, measuredValue } from './slo.ts';

/** Less than this may be chance. */
const SAME_WITHIN = 0.1;
const COMPARED = [
  'lost',
  'doubled',
  'reordered',
  'misrouted',
  ...LATENCY_NAMES.flatMap((name) => ['p50', 'p99', 'max'].map((statistic) => `${name}_${statistic}`)),
  'recovery_to99',
  'delivered_per_s',
  'connections_peak',
  'bytes_per_connection',
  'generator_loop_p99',
];

/** The earlier result of a comparison. Throws a StartFailure where it is none, or one of another scenario. */
export function readEarlier(path: string, scenario: string): Result {
  const earlier = readResult(path);
  refuseOther(earlier, scenario);
  return earlier;
}

/** What both runs measured, and how it changed. Throws a StartFailure where they are of two scenarios. */
export function changes(before: Result, after: Result): Change[] {
  refuseOther(before, after.scenario);
  return COMPARED.flatMap((metric) => {
    const from = measuredValue(metric, before);
    const to = measuredValue(metric, after);
    return from === null || to === null ? [] : [change(metric, from, to)];
  });
}

function change(metric: string, from: number, to: number): Change {
  const kind = kindOf(metric);
  return {
    metric,
    before: valueText(kind, from),
    after: valueText(kind, to),
    ...(from === 0 ? {} : { ratio: to / from }),
    trend: trend(from, to, kind === 'rate' || metric === 'connections_peak'),
  };
}

function trend(from: number, to: number, isMoreBetter: boolean): Change['trend'] {
  if (Math.abs(to - from) <= SAME_WITHIN * from) return 'same';
  return to > from === isMoreBetter ? 'better' : 'worse';
}

function refuseOther(earlier: Result, scenario: string): void {
  if (earlier.scenario === scenario) return;
  throw new StartFailure(
    `the earlier result is of the scenario ${JSON.stringify(earlier.scenario)}, and this run is of ${JSON.stringify(scenario)}; give a result of ${JSON.stringify(scenario)}.`,
  );
}

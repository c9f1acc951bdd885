import { valueText } from '@fenghuo/web/report';

import type { Result, Unjudged, VerdictName } from './result.ts';
import { DEFAULT_SLOS, isMet, kindOf, measuredValue, parseSlo, type Slo } from './slo.ts';

type Judgement = Pick<Result, 'slos' | 'verdict' | 'reasons'>;

/** What the process ends with. 2 is for a command line that cannot be used. */
export const EXIT_CODES = { pass: 0, slo_failed: 1, unreachable: 3, invalid: 4 } as const satisfies Record<
  VerdictName,
  number
>;

/**
 * Says whether the run kept what was asked of it; without SLOs: that nothing was lost, doubled, reordered or misrouted.
 * Figures of a generator that lagged are worth nothing, so that comes before any SLO; no connection at all, before both.
 */
export function judge(result: Unjudged, slos: readonly Slo[]): Judgement {
  const asked = slos.length > 0 ? slos : DEFAULT_SLOS.map(parseSlo);
  const checked = asked.map((slo) => {
    const value = measuredValue(slo.metric, result);
    return { slo, value, isMet: isMet(slo, value) };
  });
  const missed = checked.filter((each) => !each.isMet);
  return {
    slos: checked.map(({ slo, value, isMet }) => ({ text: slo.text, value, isMet })),
    ...verdict(
      result,
      missed.map(({ slo, value }) =>
        value === null
          ? `${slo.text}: this run did not measure it`
          : `${slo.text}: it is ${valueText(kindOf(slo.metric), value)}`,
      ),
    ),
  };
}

function verdict(result: Unjudged, missed: string[]): Pick<Judgement, 'verdict' | 'reasons'> {
  const { connections, generator } = result;
  if (connections.target > 0 && connections.opened === 0) {
    const codes = Object.entries(connections.refused).map(([code, count]) => `${count} × ${code}`);
    const refused = codes.length === 0 ? '' : ` (${codes.join(', ')})`;
    return {
      verdict: 'unreachable',
      reasons: [`none of ${connections.target} connections was opened${refused}`],
    };
  }
  if (!generator.isValid) {
    const reasons = generator.reasons.length > 0 ? generator.reasons : ['the generator lagged'];
    return { verdict: 'invalid', reasons: [...reasons, ...missed] };
  }
  return { verdict: missed.length === 0 ? 'pass' : 'slo_failed', reasons: missed };
}

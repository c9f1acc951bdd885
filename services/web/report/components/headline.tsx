import type { Fault, RunData } from '../page-data.ts';
import { countText } from '../units.ts';
import { useStrings } from './language-context.ts';

const FAULTS = ['lost', 'doubled', 'reordered', 'misrouted'] as const satisfies readonly Fault[];

/** What the whole test is for: how many signals went wrong, and whether that is what was asked. */
export function Headline({ run }: { run: RunData }) {
  const strings = useStrings();
  const { signals, verdict, reasons, slos } = run;
  return (
    <section class="card headline" data-verdict={verdict} aria-label={strings.verdicts[verdict]}>
      <div class="faults">
        <dl>
          {FAULTS.map((fault) => (
            <div key={fault} data-testid={`fault-${fault}`} data-bad={signals[fault] > 0}>
              <dd>{countText(signals[fault])}</dd>
              <dt>{strings.faults[fault]}</dt>
            </div>
          ))}
        </dl>
        <p class="quiet">{strings.ofSignals(countText(signals.expected))}</p>
      </div>
      <div class="verdict">
        <p class="stamp" data-testid="verdict">
          {strings.verdicts[verdict]}
        </p>
        <p>{strings.verdictTexts[verdict]}</p>
        {verdict !== 'slo_failed' && reasons.length > 0 && (
          <ul class="reasons" lang="en">
            {reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        )}
        <h2 class="unseen">{strings.asked}</h2>
        <ul class="slos">
          {slos.map(({ text, shown, isMet }) => (
            <li key={text} data-met={isMet} data-testid="slo">
              <span aria-hidden="true">{isMet ? '✓' : '✗'}</span>
              <code>{text}</code>
              <span class="number">{shown ?? strings.notMeasured}</span>
              <span class="unseen">{isMet ? strings.isMet : strings.isMissed}</span>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

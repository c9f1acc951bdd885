import { Total } from '../../components/total.tsx';
import type { RunData } from '../page-data.ts';
import { countText, shareText, threeDigits, timeText } from '../units.ts';
import { useStrings } from './language-context.ts';

export function KeyFigures({ run }: { run: RunData }) {
  const strings = useStrings();
  const { signals, durationS, connections, generator } = run;
  const relay = run.latencies.relay;
  return (
    <dl class="totals" aria-label={strings.keyFigures}>
      <Total
        name="delivered"
        label={strings.delivered}
        value={threeDigits(durationS > 0 ? signals.delivered / durationS : 0)}
      />
      {relay !== undefined && relay.count > 0 && (
        <>
          <Total name="relay-p50" label={strings.relayP50} value={timeText(relay.p50Ms)} />
          <Total
            name="relay-p99"
            label={strings.relayP99}
            value={timeText(relay.p99Ms)}
            note={strings.slowest(timeText(relay.maxMs))}
          />
        </>
      )}
      <Total
        name="peak"
        label={strings.peak}
        value={countText(connections.peak)}
        note={strings.ofTarget(countText(connections.target))}
      />
      <Total
        name="generator"
        label={strings.generator}
        value={timeText(generator.loopDelayP99Ms)}
        note={strings.lateStarts(
          shareText(generator.started > 0 ? generator.lateStarts / generator.started : 0),
        )}
      />
    </dl>
  );
}

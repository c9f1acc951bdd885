import type { RunData } from '../page-data.ts';
import { countText, shareText, threeDigits, timeText } from '../units.ts';
import { useStrings } from './language-context.ts';

export function KeyFigures({ run }: { run: RunData }) {
  const strings = useStrings();
  const { signals, durationS, connections, generator } = run;
  const relay = run.latencies.relay;
  return (
    <dl class="totals" aria-label={strings.keyFigures}>
      <Figure
        label={strings.delivered}
        value={threeDigits(durationS > 0 ? signals.delivered / durationS : 0)}
      />
      {relay !== undefined && relay.count > 0 && (
        <>
          <Figure label={strings.relayP50} value={timeText(relay.p50Ms)} />
          <Figure
            label={strings.relayP99}
            value={timeText(relay.p99Ms)}
            note={strings.slowest(timeText(relay.maxMs))}
          />
        </>
      )}
      <Figure
        label={strings.peak}
        value={countText(connections.peak)}
        note={strings.ofTarget(countText(connections.target))}
      />
      <Figure
        label={strings.generator}
        value={timeText(generator.loopDelayP99Ms)}
        note={strings.lateStarts(
          shareText(generator.started > 0 ? generator.lateStarts / generator.started : 0),
        )}
      />
    </dl>
  );
}

function Figure({ label, value, note }: { label: string; value: string; note?: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <b>{value}</b>
        {note !== undefined && <span class="quiet">{note}</span>}
      </dd>
    </div>
  );
}

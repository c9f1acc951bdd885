import type { RunData } from '../page-data.ts';
import type { Strings } from '../strings.ts';
import { bytesText, countText, threeDigits } from '../units.ts';
import { useStrings } from './language-context.ts';

/** Everything that was counted, below each heading. */
export function CountsCard({ run }: { run: RunData }) {
  const strings = useStrings();
  const { signals, connections, sessions, calls, memory, slopes } = run;
  const names: Readonly<Record<string, string>> = { ...strings.counts, ...strings.faults };
  const counted = (counts: object): Pair[] =>
    Object.entries(counts).flatMap(([name, count]) =>
      typeof count === 'number' ? [[names[name] ?? name, countText(count)] as const] : [],
    );
  return (
    <section class="card counted">
      <h2>{strings.counted}</h2>
      <div class="lists">
        <List title={strings.signals} pairs={[...counted(signals), ...refusals(signals.refused, strings)]} />
        <List
          title={strings.connections}
          pairs={[...counted(connections), ...refusals(connections.refused, strings)]}
        />
        <List title={strings.sessions} pairs={counted(sessions)} />
        {calls !== undefined && <List title={strings.calls} pairs={counted(calls)} />}
        {memory !== undefined && (
          <List
            title={strings.memory}
            pairs={[
              [strings.counts.bytesPerConnection, bytesText(memory.bytesPerConnection)],
              [strings.counts.connections, countText(memory.connections)],
              [strings.counts.nodeRssBytesBefore, bytesText(memory.nodeRssBytesBefore)],
              [strings.counts.nodeRssBytesAfter, bytesText(memory.nodeRssBytesAfter)],
            ]}
          />
        )}
        {slopes !== undefined && (
          <List
            title={strings.slopes}
            pairs={slopes.map(({ what, unit, perHour, isGrowing }) => [
              isGrowing ? `${what} (${strings.growing})` : what,
              `${perHour > 0 ? '+' : ''}${threeDigits(perHour)} ${unit}`,
            ])}
          />
        )}
      </div>
    </section>
  );
}

type Pair = readonly [name: string, value: string];

function List({ title, pairs }: { title: string; pairs: readonly Pair[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {pairs.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function refusals(refused: Readonly<Record<string, number>>, strings: Strings): Pair[] {
  const codes = Object.entries(refused).filter(([, count]) => count > 0);
  if (codes.length === 0) return [[strings.counts.refused, '0']];
  return codes.map(([code, count]) => [`${strings.counts.refused}: ${code}`, countText(count)]);
}

import type { RunData } from '../page-data.ts';
import { countText, momentText, timeText } from '../units.ts';
import { useStrings } from './language-context.ts';

/** Where and how it ran, so that somebody else can run it again and believe it. */
export function RunCard({ run }: { run: RunData }) {
  const strings = useStrings();
  const { generator, targets, phases, command, seed } = run;
  return (
    <section class="card run">
      <h2>{strings.howItRan}</h2>
      <dl>
        <div>
          <dt>{strings.command}</dt>
          <dd>
            <code class="command">{command}</code>
          </dd>
        </div>
        <div>
          <dt>{strings.honesty}</dt>
          <dd>
            <p class={generator.isValid ? 'good' : 'bad'}>
              {generator.isValid ? strings.valid : strings.invalid}
            </p>
            {generator.reasons.map((reason) => (
              <p key={reason} class="bad" lang="en">
                {reason}
              </p>
            ))}
            <p>{strings.loopDelay(timeText(generator.loopDelayP99Ms))}</p>
            <p>{strings.lateOf(countText(generator.lateStarts), countText(generator.started))}</p>
            <p>{strings.onMachines(generator.hosts, generator.workers, generator.cpus, generator.node)}</p>
          </dd>
        </div>
        <div>
          <dt>{strings.targets}</dt>
          <dd>
            {targets.map(({ url, region, node }) => (
              <p key={`${url} ${node}`}>
                <code>{url}</code>{' '}
                <span class="quiet">{[node, region].filter((each) => each !== undefined).join(', ')}</span>
              </p>
            ))}
          </dd>
        </div>
        <div>
          <dt>{strings.phases}</dt>
          <dd>
            {phases.map(({ name, fromS, toS }) => (
              <p key={`${name} ${fromS}`}>
                {name}{' '}
                <span class="quiet">
                  {toS === undefined ? momentText(fromS) : `${momentText(fromS)} – ${momentText(toS)}`}
                </span>
              </p>
            ))}
          </dd>
        </div>
        <div>
          <dt>{strings.seed}</dt>
          <dd>{seed}</dd>
        </div>
      </dl>
    </section>
  );
}

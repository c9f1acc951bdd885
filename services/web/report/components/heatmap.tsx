import { useState } from 'preact/hooks';
import type { Heatmap as HeatmapData, RunData } from '../page-data.ts';
import { countText, timeText } from '../units.ts';
import { useStrings } from './language-context.ts';

const STATISTICS = ['p50', 'p99'] as const;
type Statistic = (typeof STATISTICS)[number];
type Cell = HeatmapData['cells'][number];

/** From which node to which a signal takes how long: a table that also shows it by its heat. */
export function Heatmap({ run: { heatmap } }: { run: RunData }) {
  const strings = useStrings();
  const [statistic, setStatistic] = useState<Statistic>('p50');
  if (heatmap === undefined || heatmap.cells.length === 0) return null;
  const { nodes, cells } = heatmap;
  const read = (cell: Cell) => (statistic === 'p50' ? cell.p50Ms : cell.p99Ms);
  const values = cells.map(read);
  const heat = heatOf(Math.min(...values), Math.max(...values));
  return (
    <section class="card chart" data-testid="heatmap">
      <div class="split">
        <h2>{strings.heatmap}</h2>
        <fieldset class="languages">
          <legend class="unseen">{strings.statistic}</legend>
          {STATISTICS.map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={each === statistic}
              onClick={() => setStatistic(each)}
            >
              {each}
            </button>
          ))}
        </fieldset>
      </div>
      <p class="quiet note">{strings.heatmapNote}</p>
      <div class="scroll">
        <table class="heat">
          <thead>
            <tr>
              <th scope="col" class="quiet">
                {strings.fromTo}
              </th>
              {nodes.map((node) => (
                <th key={node} scope="col">
                  {node}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {nodes.map((from) => (
              <tr key={from}>
                <th scope="row">{from}</th>
                {nodes.map((to) => {
                  const cell = cells.find((each) => each.from === from && each.to === to);
                  if (cell === undefined) return <td key={to}>{strings.none}</td>;
                  return (
                    <td
                      key={to}
                      title={strings.cell(from, to, countText(cell.count))}
                      style={{ '--heat': `${heat(read(cell))}%` }}
                    >
                      {timeText(read(cell))}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** Percent of full heat; equal ratios are equally far apart, since regions may be a hundred times slower than neighbours. */
function heatOf(min: number, max: number): (value: number) => number {
  if (min <= 0 || max <= min * 1.05) return () => 8;
  return (value) => Math.round(8 + (38 * Math.log(value / min)) / Math.log(max / min));
}

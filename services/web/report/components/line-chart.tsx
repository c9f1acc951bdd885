import { useMemo } from 'preact/hooks';
import uPlot from 'uplot';
import { lookOf } from '../../charts/look.ts';
import { Plot, type PlotOptions } from '../../charts/plot.tsx';
import { tooltip } from '../../charts/tooltip.ts';
import { useStrings } from './language-context.ts';

const HEIGHT_PX = 240;
/** A table is read, not measured: it has so many rows of a line at most. */
const ROWS_MAX = 24;

/** A line's points, `x` rising. */
export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number | undefined])[];
  /** Of the earlier run: drawn faintly, in the colour of the line it is compared with. */
  readonly isBefore?: boolean;
  /** The colour's number, from 0; default: the line's place. */
  readonly colour?: number;
}

export interface LineChartProps {
  readonly id: string;
  readonly title: string;
  readonly note?: string | undefined;
  readonly xName: string;
  readonly xText: (value: number) => string;
  readonly yText: (value: number) => string;
  readonly lines: readonly Line[];
  readonly look: (
    look: ReturnType<typeof lookOf>,
  ) => Pick<PlotOptions, 'scales' | 'axes' | 'plugins' | 'cursor'>;
  readonly isWide?: boolean;
}

/** Lines over one axis, and the same as a table for those who do not see them. Nothing where there is nothing to draw. */
export function LineChart({
  id,
  title,
  note,
  xName,
  xText,
  yText,
  lines,
  look,
  isWide = false,
}: LineChartProps) {
  const strings = useStrings();
  const drawn = lines.filter(({ points }) => points.some(([, y]) => y !== undefined));
  const notes = [note, drawn.some(({ isBefore }) => isBefore) ? strings.beforeNote : undefined].filter(
    Boolean,
  );
  const data = useMemo(() => joined(drawn), [lines]);
  if (drawn.length === 0) return null;

  function optionsOf(box: HTMLElement): PlotOptions {
    const style = lookOf(box);
    const { plugins = [], ...rest } = look(style);
    return {
      padding: [14, 22, 0, 0],
      legend: { live: false },
      ...rest,
      cursor: { drag: { x: false, y: false }, y: false, ...rest.cursor },
      series: [{}, ...drawn.map((line, index) => seriesOf(line, index, style))],
      plugins: [...plugins, tooltip({ x: xText, y: yText })],
    };
  }
  return (
    <figure class={isWide ? 'card chart wide' : 'card chart'} data-testid={`chart-${id}`}>
      <figcaption>{title}</figcaption>
      {notes.length > 0 && <p class="quiet note">{notes.join(' ')}</p>}
      <Plot
        data={data}
        shape={drawn.map(({ name }) => name).join('\n')}
        optionsOf={optionsOf}
        heightPx={HEIGHT_PX}
      />
      <details>
        <summary>{strings.asTable}</summary>
        <div class="scroll">
          <table>
            <caption class="unseen">{title}</caption>
            <thead>
              <tr>
                <th scope="col">{xName}</th>
                {drawn.map(({ name }) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rowsOf(data).map(([x, ...values]) => (
                <tr key={x}>
                  <th scope="row">{xText(Number(x))}</th>
                  {values.map((value, index) => (
                    <td key={drawn[index]?.name} class="number">
                      {value === null || value === undefined ? strings.none : yText(value)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

function seriesOf(line: Line, index: number, { line: style }: ReturnType<typeof lookOf>): uPlot.Series {
  const number = line.colour ?? index;
  const series = { ...style(line.name, number), spanGaps: true };
  return line.isBefore ? { ...series, class: 'before', alpha: 0.55, width: 1.5, dash: [2, 3] } : series;
}

/** All lines over all their x, which need not be the same. */
function joined(lines: readonly Line[]): uPlot.AlignedData {
  const tables = lines.map(
    ({ points }): uPlot.AlignedData => [points.map(([x]) => x), points.map(([, y]) => y ?? null)],
  );
  return tables.length === 0 ? [[]] : uPlot.join(tables);
}

type Row = readonly (number | null | undefined)[];

/** The rows of a table, thinned out evenly, with the first and the last. */
function rowsOf([xs, ...columns]: uPlot.AlignedData): Row[] {
  const last = xs.length - 1;
  const count = Math.min(ROWS_MAX, xs.length);
  const picked = Array.from({ length: count }, (_, row) =>
    count < 2 ? 0 : Math.round((row * last) / (count - 1)),
  );
  return picked.map((index) => [xs[index], ...columns.map((column) => column[index])]);
}

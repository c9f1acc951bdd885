import type { LatencyData, RunData } from '../page-data.ts';
import { countText, timeText } from '../units.ts';
import { useStrings } from './language-context.ts';

const COLUMNS = [
  ['p50', 'p50Ms'],
  ['p90', 'p90Ms'],
  ['p95', 'p95Ms'],
  ['p99', 'p99Ms'],
  ['p99.9', 'p999Ms'],
  ['max', 'maxMs'],
] as const satisfies readonly (readonly [string, keyof LatencyData])[];

export function LatencyTable({ run }: { run: RunData }) {
  const strings = useStrings();
  const rows = Object.entries(run.latencies);
  if (rows.length === 0) return null;
  return (
    <section class="card table-card" data-testid="latencies">
      <h2>{strings.latencies}</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">{strings.latency}</th>
              <th scope="col" class="number">
                {strings.count}
              </th>
              <th scope="col" class="number">
                {strings.mean}
              </th>
              {COLUMNS.map(([name]) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, latency]) => (
              <tr key={name}>
                <th scope="row">
                  <code>{name}</code> <small class="quiet">{strings.latencyNames[name]}</small>
                </th>
                <td class="number">{countText(latency.count)}</td>
                <td class="number">{timeText(latency.meanMs)}</td>
                {COLUMNS.map(([column, field]) => (
                  <td key={column} class="number">
                    {timeText(latency[field])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

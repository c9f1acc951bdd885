import type { Change } from '../page-data.ts';
import { ratioText } from '../units.ts';
import { useStrings } from './language-context.ts';

export function ChangesTable({ changes }: { changes?: readonly Change[] | undefined }) {
  const strings = useStrings();
  if (changes === undefined) return null;
  return (
    <section class="card table-card" data-testid="changes">
      <h2>{strings.changes}</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">{strings.metric}</th>
              <th scope="col" class="number">
                {strings.before}
              </th>
              <th scope="col" class="number">
                {strings.now}
              </th>
              <th scope="col" class="number">
                {strings.ratio}
              </th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {changes.map(({ metric, before, after, ratio, trend }) => (
              <tr key={metric} data-trend={trend}>
                <th scope="row">
                  <code>{metric}</code>
                </th>
                <td class="number">{before}</td>
                <td class="number">{after}</td>
                <td class="number">{ratio === undefined ? strings.none : ratioText(ratio)}</td>
                <td class="trend">{strings.trends[trend]}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

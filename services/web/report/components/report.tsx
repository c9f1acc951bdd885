import { useLayoutEffect, useState } from 'preact/hooks';
import { LanguageButtons } from '../../components/language-buttons.tsx';
import { type Language, languageTag, pickLanguage } from '../../language.ts';
import { remember, remembered } from '../../remember.ts';
import type { PageData, RunData } from '../page-data.ts';
import { STRINGS } from '../strings.ts';
import { momentText } from '../units.ts';
import { ChangesTable } from './changes-table.tsx';
import { CountsCard } from './counts-card.tsx';
import { Headline } from './headline.tsx';
import { Heatmap } from './heatmap.tsx';
import { KeyFigures } from './key-figures.tsx';
import { LanguageContext, useStrings } from './language-context.ts';
import { LatencyTable } from './latency-table.tsx';
import { MachineCharts } from './machine-charts.tsx';
import { RecoveryChart } from './recovery-chart.tsx';
import { RunCard } from './run-card.tsx';
import { SpectrumChart } from './spectrum-chart.tsx';
import { TimelineCharts } from './timeline-charts.tsx';

/** One run of the load tester: what was lost, first; then everything that it measured, as far as it did. */
export function Report({ data }: { data: PageData | null }) {
  const [language, setLanguage] = useState(() =>
    pickLanguage([remembered('language'), ...navigator.languages]),
  );
  const strings = STRINGS[language];
  useLayoutEffect(() => {
    document.documentElement.lang = languageTag(language);
    document.title = data === null ? strings.loadTest : strings.title(data.run.scenario);
  }, [language, strings, data]);
  function pick(picked: Language): void {
    setLanguage(picked);
    remember('language', picked);
  }

  return (
    <LanguageContext value={language}>
      <header class="top-bar">
        <Beacon />
        <p class="name">
          {strings.product} <span class="quiet">{strings.loadTest}</span>
        </p>
        <LanguageButtons label={strings.language} current={language} onPick={pick} />
      </header>
      <main class="report" data-testid="report">
        {data === null ? <p class="card empty">{strings.noData}</p> : <Sections {...data} />}
      </main>
    </LanguageContext>
  );
}

function Sections({ run, before, changes }: PageData) {
  const strings = useStrings();
  return (
    <>
      <div class="scenario">
        <h1>{run.scenario}</h1>
        <p class="quiet">
          {ranAt(run, strings.ran)}
          {before !== undefined && <> · {strings.comparedWith(timeOf(before))}</>}
        </p>
      </div>
      <Headline run={run} />
      <KeyFigures run={run} />
      <div class="charts">
        <TimelineCharts run={run} before={before} />
        <SpectrumChart run={run} before={before} />
        <RecoveryChart run={run} before={before} />
        <Heatmap run={run} />
      </div>
      <LatencyTable run={run} />
      <ChangesTable changes={changes} />
      <MachineCharts run={run} before={before} />
      <CountsCard run={run} />
      <RunCard run={run} />
    </>
  );
}

function ranAt(run: RunData, ran: (at: string, duration: string) => string): string {
  return ran(timeOf(run), momentText(run.durationS));
}

/** In the reader's own time zone: `2026-11-25 16:30:00`. */
function timeOf({ startedAt }: RunData): string {
  return new Date(startedAt).toLocaleString('sv-SE');
}

function Beacon() {
  return (
    <svg class="beacon" viewBox="0 0 32 32" width="30" height="30" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#171c2e" />
      <path
        fill="#ff8a3d"
        d="M16 3c1 3 4.500 4.500 4.500 8.200A4.400 4.400 0 0 1 16 15.600a4.400 4.400 0 0 1-4.500-4.400c0-2 1-2.900 1.900-4 .3 1 .8 1.500 1.500 1.700C14.500 6.800 15 4.600 16 3z"
      />
      <path
        fill="#f3ece0"
        d="M9 17h2.500v2H14v-2h4v2h2.500v-2H23v4.500h-1.300L23.500 28h-15l1.800-6.500H9z"
      />
    </svg>
  );
}

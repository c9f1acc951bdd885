import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { StartFailure } from '@fenghuo/cluster';
import { DATA_PLACE, PAGE_URL, type PageData, type RunData } from '@fenghuo/web/report';

import { commandLine } from './command-line.ts';
import { changes } from './compare.ts';
import { measuredLatencies, type Result } from './result.ts';
import { shownValue } from './slo.ts';
import { spectrum } from './spectrum.ts';
import { summaryMarkdown } from './summary.ts';

/**
 * Writes `result.json`, `summary.md` and `report.html` into the folder, which is made where it is not there, and returns
 * their paths. Throws a StartFailure where the page is not built; the other two are written by then.
 */
export async function writeReports(result: Result, dir: string, before?: Result): Promise<string[]> {
  const comparison = before === undefined ? undefined : changes(before, result);
  await mkdir(dir, { recursive: true });
  const path = (name: string) => join(dir, name);
  await writeFile(path('result.json'), `${JSON.stringify(result, undefined, 2)}\n`);
  await writeFile(path('summary.md'), summaryMarkdown(result, comparison));
  await writeFile(
    path('report.html'),
    filled(await builtPage(), {
      run: runData(result),
      ...(before === undefined || comparison === undefined
        ? {}
        : { before: runData(before), changes: comparison }),
    }),
  );
  return ['result.json', 'summary.md', 'report.html'].map(path);
}

async function builtPage(): Promise<string> {
  try {
    return await readFile(PAGE_URL, 'utf8');
  } catch {
    throw new StartFailure('report.html is not written: the page is not built; run "npm run build" first.');
  }
}

/** The page with its data. A `<` stays what it is in JSON, and cannot end the element. */
function filled(page: string, data: PageData): string {
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  return page.replace(DATA_PLACE, () => DATA_PLACE.replace('null', () => json));
}

function runData(result: Result): RunData {
  return {
    ...result,
    slos: result.slos.map((slo) => {
      const shown = shownValue(slo);
      return { text: slo.text, isMet: slo.isMet, ...(shown === undefined ? {} : { shown }) };
    }),
    command: commandLine(result),
    latencies: Object.fromEntries(
      measuredLatencies(result).map(([name, { hdr, ...latency }]) => [
        name,
        { ...latency, spectrum: spectrum({ hdr, ...latency }) },
      ]),
    ),
  };
}

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

import { BROWSERS } from '../../../services/web/browsers.ts';
import config from '../../../services/web/vite.config.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What one of these browsers lacks, or has only in a later version than the oldest that is named. */
const TOO_NEW: readonly RegExp[] = [
  /\bPromise\.(withResolvers|try)\b/,
  /\bAbortSignal\.any\b/,
  /\bURL\.(canParse|parse)\b/,
  /\b(Object|Map)\.groupBy\b/,
  /\bArray\.fromAsync\b/,
  /\bRegExp\.escape\b/,
  /\bIterator\.(from|prototype|concat)\b/,
  // Iterators' own methods.
  /\.(values|keys|entries)\(\)\s*\.(map|filter|flatMap|take|drop|some|every|find|reduce|toArray|forEach)\(/,
  /\bnew Set\([^)]*\)\.(union|intersection|difference|symmetricDifference|isSubsetOf|isSupersetOf)\(/,
  /\b(isWellFormed|toWellFormed|getOrInsert|toBase64|fromBase64|toHex)\(/,
  /\bSymbol\.(dispose|asyncDispose)\b|^\s*(await )?using /m,
  /\bIntl\.DurationFormat\b|\bTemporal\./,
  /\bstartViewTransition\b|\bscheduler\.|\brequestIdleCallback\b|\bURLPattern\b|\bmoveBefore\(/,
];

test('the SDK and the pages call nothing that the oldest supported browsers lack', () => {
  const files = globSync('services/{client,web,protocol}/**/*.{ts,tsx}', {
    cwd: ROOT,
    exclude: ['**/node_modules/**', '**/dist/**', '**/vite*.ts'],
  });
  expect(files.length).toBeGreaterThan(100);
  const found = files.flatMap((file) => {
    const code = withoutComments(readFileSync(join(ROOT, file), 'utf8'));
    return TOO_NEW.flatMap((name) => (name.test(code) ? [`${file}: ${name.exec(code)?.[0]}`] : []));
  });
  expect(found).toEqual([]);
});

test('the pages are built for the browsers that the README names', () => {
  expect(config.build?.target).toEqual(BROWSERS);
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  for (const browser of BROWSERS) {
    const [, name = '', version = ''] = /^([a-z]+)(\d+)$/.exec(browser) ?? [];
    expect(readme).toMatch(RegExp(`\\b${name}\\b[^.]*\\b${version}\\b`, 'i'));
  }
});

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

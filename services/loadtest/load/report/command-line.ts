import type { Result } from './result.ts';
import { DEFAULT_SLOS } from './slo.ts';

/** Options that may be given several times; a result holds their values with blanks between. */
const REPEATED = ['url', 'metrics'];

/** The command that makes such a run: the same scenario, options and seed. Secrets are not in a result. */
export function commandLine({ scenario, seed, options, slos }: Result): string {
  const given = Object.entries({ ...options, seed: options.seed ?? seed }).filter(([name]) => name !== 'slo');
  const flags = given.flatMap(([name, value]) => {
    if (REPEATED.includes(name))
      return String(value)
        .split(' ')
        .map((each) => `--${name} ${quoted(each)}`);
    if (value === true) return [`--${name}`];
    return value === false ? [] : [`--${name} ${quoted(String(value))}`];
  });
  const texts = slos.map(({ text }) => text);
  const asked = texts.join() === DEFAULT_SLOS.join() ? [] : texts.map((text) => `--slo ${quoted(text)}`);
  return ['npm run load --', scenario, ...flags, ...asked].join(' ');
}

/** As a shell reads it back. */
function quoted(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

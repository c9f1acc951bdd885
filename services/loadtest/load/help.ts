import { FLAGS, type FlagName } from './flags.ts';
import { SCENARIOS, type Scenario } from './scenarios/index.ts';

const nameWidth = Math.max(...SCENARIOS.map(({ name }) => name.length));
const SPECIAL: readonly FlagName[] = SCENARIOS.flatMap(({ flags }) => flags);

const EXIT_CODES = `Exit codes: 0 the run kept what was asked of it, 1 it did not, 2 the command line cannot be used, 3 a target cannot be
reached, 4 invalid: the load tester itself lagged, so its figures say nothing. Ctrl-C ends a run with its report, a second
one at once. docs/load-testing.md tells the rest.
`;

export const HELP = `Usage: npm run load -- SCENARIO [options]
       npm run load -- SCENARIO --help
       npm run load -- worker --help

Puts a Fenghuo cluster under load and tells what became of every signal: how many were lost, doubled, reordered or
misrouted, and how long they took from when they were to be sent. Try it: "npm start", and in another terminal
"npm run load -- calls --rate 200 --duration 30s".

Scenarios:
${SCENARIOS.map(({ name, text }) => `  ${name.padEnd(nameWidth)}  ${text}`).join('\n')}

Options:
${flagsText((name) => !SPECIAL.includes(name) || name === 'admin-token-file')}

${EXIT_CODES}`;

export function scenarioHelp({ name, text, help, flags, defaults }: Scenario): string {
  const people =
    defaults.connections === 0 ? '' : `, ${defaults.connections} people in rooms of ${defaults.peers}`;
  return `Usage: npm run load -- ${name} [options]

${text[0]?.toUpperCase()}${text.slice(1)}.

${help}

Unless told otherwise: ${defaults.rate} signals a second for ${defaults.durationS} s${people}.

Options:
${flagsText((each) => flags.includes(each) || !SPECIAL.includes(each))}

${EXIT_CODES}`;
}

function flagsText(isShown: (name: FlagName) => boolean): string {
  return Object.entries(FLAGS)
    .filter(([name]) => isShown(name as FlagName))
    .map(([name, flag]) => {
      const head = 'value' in flag ? `--${name} ${flag.value}` : `--${name}`;
      return `  ${head}\n      ${flag.text}`;
    })
    .join('\n');
}

import { parseArgs } from 'node:util';
import { type Environment, readSettings, type Settings } from '../config.ts';
import { checkConfiguration } from './configuration.ts';
import { checkExposure } from './exposure.ts';
import { type Finding, fault, reasonOf, within } from './finding.ts';
import { homesToCheck } from './homes.ts';
import { checkOpenFiles, checkPorts, isOneOfOurs } from './host.ts';
import { checkIce } from './ice.ts';
import { checkJwks } from './jwks.ts';
import { checkRedis } from './redis.ts';
import { asJson, asLines, withoutSecrets } from './report.ts';
import { checkSecrets } from './secrets.ts';

const HELP = `Usage: npm run doctor -- [--json]
       node services/signaling/main.ts doctor [--json]

Reads the environment that a node would be started with, looks at everything that the node needs, and says of each
what is wrong and what to do. Changes nothing that lasts, and prints no secret. Where it runs matters: run it on the
node's machine, or in its container.

  --json   one JSON object in place of lines
  --help   print this

Exit code 0: nothing is wrong, or warnings only; 1: faults; 2: it was called wrongly.
`;

/** No check waits for this long; it is here for those that would. */
const CHECK_MS = 12_000;

/** Looks at everything at once; resolves with the exit code. */
export async function doctor(
  args: readonly string[],
  environment: Environment,
  print: (text: string) => void,
): Promise<0 | 1 | 2> {
  const flags = flagsOf(args);
  if (flags === undefined || flags.help) {
    print(HELP);
    return flags === undefined ? 2 : 0;
  }
  const findings = withoutSecrets(await examine(environment), environment);
  print(flags.json ? asJson(findings) : asLines(findings));
  return findings.some(({ level }) => level === 'fault') ? 1 : 0;
}

function flagsOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    }).values;
  } catch {
    return undefined;
  }
}

async function selfOf({ NODE_ID = '', OPS_HOST, OPS_PORT }: Partial<Settings>) {
  return { nodeId: NODE_ID, runsHere: await isOneOfOurs(OPS_HOST, OPS_PORT) };
}

/** In the order in which they are to be read, whichever ends first. */
async function examine(environment: Environment): Promise<Finding[]> {
  const { settings, faults } = readSettings(environment);
  const checks: readonly [string, () => Finding[] | Promise<Finding[]>][] = [
    ['configuration', () => checkConfiguration(environment, settings, faults)],
    ['secrets', () => checkSecrets(environment, settings)],
    ['exposure', () => checkExposure(settings)],
    ['open files', () => checkOpenFiles(settings)],
    ['ports', () => checkPorts(settings)],
    ['redis', async () => checkRedis(homesToCheck(settings), await selfOf(settings))],
    ['jwks', () => checkJwks(settings.JWKS_URL)],
    ['turn', () => checkIce(settings)],
  ];
  const looked = checks.map(async ([name, check]) => {
    try {
      return await within(CHECK_MS, Promise.resolve(check()));
    } catch (error) {
      return [fault(name, `could not be looked at: ${reasonOf(error)}`, 'run the doctor again')];
    }
  });
  return (await Promise.all(looked)).flat();
}

// `npm run load`: puts a cluster under load, and tells what became of it.
import { accessSync, constants, mkdirSync } from 'node:fs';

import { StartFailure } from '@fenghuo/cluster';

import { HELP, scenarioHelp } from './help.ts';
import { type LoadOptions, parseOptions, UsageFailure } from './options.ts';
import { probe } from './probe.ts';
import {
  EXIT_CODES,
  judge,
  liveView,
  type Result,
  readEarlier,
  summaryText,
  writeReports,
} from './report/index.ts';
import { run } from './run.ts';
import { type OwnCluster, SCENARIOS } from './scenarios/index.ts';
import { workerMain } from './worker-main.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_CALLED_OFF = 130;

const callOff = new AbortController();

async function main(): Promise<number> {
  // A reader that has gone (`npm run load | head`) is no reason to leave processes behind.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const args = process.argv.slice(2);
  if (args[0] === 'worker') {
    await workerMain(args.slice(1));
    return 0;
  }
  if (args.length === 0 || args.includes('--help') || args.includes('-h')) {
    const scenario = SCENARIOS.find(({ name }) => args.includes(name));
    process.stdout.write(scenario === undefined ? HELP : scenarioHelp(scenario));
    return args.length === 0 ? EXIT_USAGE : 0;
  }
  const options = parseOptions(args, new Date().toISOString().replaceAll(/[:.]/g, '-'));
  const before = options.compare === undefined ? undefined : earlier(options.compare, options);
  requireFolder(options.outDir);
  watchSignals();
  const cluster = await options.scenario.start?.(options);
  try {
    return await load(
      cluster === undefined ? options : { ...options, ...clusterOptions(cluster) },
      before,
      cluster,
    );
  } finally {
    await cluster?.stop();
  }
}

function clusterOptions({ targets, metrics }: OwnCluster): Pick<LoadOptions, 'targets' | 'metrics'> {
  return { targets, metrics };
}

async function load(
  options: LoadOptions,
  before: Result | undefined,
  cluster: OwnCluster | undefined,
): Promise<number> {
  const unreachable = await unreachableTargets(options);
  if (unreachable.length > 0) {
    for (const line of unreachable) complain(line);
    return EXIT_CODES.unreachable;
  }
  // With --json the result has standard output to itself.
  const stream = options.isJson ? process.stderr : process.stdout;
  const view = liveView(stream, { isTty: stream.isTTY === true, columns: stream.columns ?? 80 });
  const say = (line: string) => void stream.write(`${line}\n`);
  say(`${options.scenario.name}, seed ${options.seed}: ${options.targets.map(({ url }) => url).join(', ')}`);
  const unjudged = await run(options, view, callOff.signal, cluster).finally(() => view.end());
  const result: Result = { ...unjudged, ...judge(unjudged, options.slos) };
  const files = await writeReports(result, options.outDir, before);
  if (options.isJson) process.stdout.write(`${JSON.stringify(result)}\n`);
  else
    say(
      summaryText(result, { hasColours: stream.isTTY === true, ...(before === undefined ? {} : { before }) }),
    );
  for (const file of files) say(file);
  return EXIT_CODES[result.verdict];
}

/** Before the run, so that none is made in vain. */
function requireFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageFailure([
      `--out ${JSON.stringify(dir)} cannot be written to (${code}); name another folder.`,
    ]);
  }
}

function earlier(file: string, { scenario }: LoadOptions): Result {
  try {
    return readEarlier(file, scenario.name);
  } catch (error) {
    throw new UsageFailure([`--compare: ${(error as Error).message}`]);
  }
}

/** What to say of each target that takes no client. */
async function unreachableTargets({ targets, credentials }: LoadOptions): Promise<string[]> {
  const found = await Promise.all(
    targets.map(async (target) => {
      const why = await probe(target, credentials);
      return why === undefined ? [] : [`${target.url} cannot be reached: ${why}`];
    }),
  );
  const lines = found.flat();
  return lines.length === 0
    ? []
    : [...lines, '"npm start" starts a cluster here; --url says where another one is.'];
}

/** The first Ctrl-C ends the run with its report, the second one at once. */
function watchSignals(): void {
  let isAsked = false;
  const stop = () => {
    if (isAsked) process.exit(EXIT_CALLED_OFF);
    isAsked = true;
    callOff.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  process.on('disconnect', () => process.exit(EXIT_CALLED_OFF));
}

function complain(line: string): void {
  console.error(`fenghuo: ${line}`);
}

main()
  .then((code) => {
    process.exitCode = code;
  })
  .catch((error: unknown) => {
    const isUsage = error instanceof UsageFailure;
    if (isUsage) for (const fault of error.faults) complain(fault);
    else
      complain(
        error instanceof Error
          ? error instanceof StartFailure
            ? error.message
            : (error.stack ?? '')
          : String(error),
      );
    const what = process.argv[2] === 'worker' ? 'worker' : 'SCENARIO';
    if (isUsage) complain(`"npm run load -- ${what} --help" lists the options.`);
    process.exitCode = isUsage ? EXIT_USAGE : EXIT_FAILED;
  })
  // Sockets of clients that were given up may linger; nothing of ours runs any more.
  .finally(() => process.exit());

// `npm run fuzz`: whatever a hostile client can send, against clusters of its own, with honest people beside it.
import { HELP, parseOptions } from './options.ts';
import { type FuzzReport, fuzz } from './run.ts';

const callOff = new AbortController();

async function main(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(HELP);
    return;
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => callOff.abort());
  process.on('disconnect', () => callOff.abort());
  print(`seed ${options.seed}`);
  const report = await fuzz(options, print, callOff.signal);
  print(reportText(report));
  process.exitCode = report.findings.length === 0 ? 0 : 1;
}

function reportText(report: FuzzReport): string {
  const { seed, connections, packets, seconds, testimonies, findings } = report;
  const spread = (of: { p50: number; p99: number; max: number } | undefined) =>
    of === undefined ? 'none' : `p50 ${of.p50} ms, p99 ${of.p99} ms, max ${of.max} ms`;
  return [
    `seed ${seed}: ${connections} connections, ${packets} packets, ${seconds} s`,
    ...testimonies.flatMap(({ cluster, calm, fuzzed, joins, withheld, nodes }) => [
      `AUTH=${cluster}: honest relay calm ${spread(calm)}; fuzzed ${spread(fuzzed)}; joins ${spread(joins)}; sent again ${withheld}`,
      ...nodes.map(
        ({ id, before, after, rssPeaksMb }) =>
          `  ${id}: memory ${before.rssMb} MB before, ${rssPeaksMb.join(' and ')} MB at most in the two halves, ${after.rssMb} MB after; connections ${before.connections} before, ${after.connections} after`,
      ),
    ]),
    findings.length === 0 ? 'nothing found' : `${findings.length} found:`,
    ...findings.map((each) => `- ${each.slice(0, 6_000)}`),
  ].join('\n');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

main()
  .catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    console.error(`fenghuo: ${message.trim().replace(/\s*\n\s*/g, '; ')}`);
    process.exitCode = 1;
  })
  // Sockets of clients that were given up may linger; nothing of ours runs any more.
  .finally(() => process.exit());

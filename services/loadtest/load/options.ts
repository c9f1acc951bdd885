import { availableParallelism } from 'node:os';

import { wordsOf } from './command.ts';
import { type FlagName, Given } from './flags.ts';
import type { MetricsSource } from './measures/scraper.ts';
import type { Credentials, Target } from './plan.ts';
import { parseSlo, type Slo } from './report/index.ts';
import { SCENARIOS, type Scenario } from './scenarios/index.ts';
import { secretFrom, textFrom } from './secret.ts';

/** A command line that can be used. */
export interface LoadOptions {
  readonly scenario: Scenario;
  readonly targets: readonly Target[];
  readonly isPinned: boolean;
  readonly credentials: Credentials;
  readonly metrics: readonly MetricsSource[];
  /** Nobody asked for them: where they are not to be had, nothing is missing. */
  readonly isMetricsGuess: boolean;
  readonly adminToken: string | undefined;
  readonly rate: number;
  readonly durationS: number;
  readonly rooms: number;
  readonly peers: number;
  readonly rampPerS: number;
  readonly holdS: number;
  readonly churnPerS: number;
  /** 0 to 1. */
  readonly dropShare: number;
  readonly stopCommand: string | undefined;
  readonly startCommand: string | undefined;
  readonly outageS: number;
  readonly rttMs: number;
  readonly jitterMs: number;
  readonly cutS: number;
  readonly seed: number;
  readonly workers: number;
  readonly isAcross: boolean;
  readonly listen: { readonly port: number; readonly expect: number; readonly secret: string } | undefined;
  readonly slos: readonly Slo[];
  readonly outDir: string;
  readonly isJson: boolean;
  readonly compare: string | undefined;
  /** As given, for the record; no secrets. */
  readonly shown: Readonly<Record<string, string | number | boolean>>;
}

/** Everything that is wrong with a command line, at once. */
export class UsageFailure extends Error {
  override readonly name = 'UsageFailure';
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/** How many people there are. */
const SIZES = ['pairs', 'rooms', 'peers', 'connections'] as const;
const RATE_MAX = 100_000;
const DAY_S = 86_400;
const DURATION_S_MAX = 7 * DAY_S;
const CONNECTIONS_MAX = 1_000_000;
/** A process holds 20,000 open files where its limit is no higher; some are no connections. */
const CONNECTIONS_PER_WORKER = 12_000;
const DEFAULT_URLS = ['http://127.0.0.1:3001', 'http://127.0.0.1:3002'];
const DEFAULT_METRICS = ['http://127.0.0.1:9101/metrics', 'http://127.0.0.1:9102/metrics'];
/** What makes a run what it is. No tokens, no files, no commands: those may hold secrets. */
const SHOWN = [
  'url',
  'pin',
  'metrics',
  'rate',
  'duration',
  'pairs',
  'rooms',
  'peers',
  'connections',
  'ramp',
  'hold',
  'churn',
  'drop',
  'outage',
  'rtt',
  'jitter',
  'cut',
  'workers',
  'across',
  'listen',
  'expect',
  'slo',
] as const satisfies readonly FlagName[];

/** Reads the command line. Throws a UsageFailure with every fault in it. `stamp` names the folder of the results. */
export function parseOptions(args: readonly string[], stamp: string): LoadOptions {
  const given = new Given(args);
  const scenario = scenarioOf(given);
  const { defaults } = scenario;
  const { rooms, peers } = roomsOf(given, scenario);
  const isMetricsGuess = !given.has('metrics') && !given.has('url');
  const options: LoadOptions = {
    scenario,
    targets: targetsOf(given),
    isPinned: given.has('pin'),
    credentials: credentialsOf(given),
    metrics: metricsOf(given, isMetricsGuess),
    isMetricsGuess,
    adminToken: given.read('admin-token-file', textFrom),
    rate: given.number('rate', 0, RATE_MAX) ?? defaults.rate,
    durationS: given.seconds('duration', 1, DURATION_S_MAX) ?? defaults.durationS,
    rooms,
    peers,
    rampPerS: given.number('ramp', 1, 10_000) ?? defaults.rampPerS,
    holdS: given.seconds('hold', 0, 3_600) ?? 3,
    churnPerS: given.number('churn', 0.01, 1_000) ?? 5,
    dropShare: given.read('drop', shareOf) ?? 1,
    stopCommand: commandOf(given, 'stop-command'),
    startCommand: commandOf(given, 'start-command'),
    outageS: given.seconds('outage', 1, 600) ?? 10,
    rttMs: given.number('rtt', 0, 2_000) ?? 30,
    jitterMs: given.number('jitter', 0, 1_000) ?? 10,
    cutS: given.seconds('cut', 0, 600) ?? 10,
    seed: given.whole('seed', 0, 4_294_967_295) ?? Math.floor(Math.random() * 1_000_000),
    workers: workersOf(given, scenario, rooms * peers),
    isAcross: given.has('across'),
    listen: listenOf(given, scenario),
    slos: slosOf(given, scenario),
    outDir: given.get('out') ?? `load-results/${scenario.name}-${stamp}`,
    isJson: given.has('json'),
    compare: given.get('compare'),
    shown: shownOf(given),
  };
  // Of a scenario that there is not, nobody knows what it takes.
  const isKnown = SCENARIOS.some(({ name }) => name === given.words[0]);
  const strays = isKnown ? [...misplaced(given, options), ...(scenario.lacks?.(options) ?? [])] : [];
  const faults = [...given.faults, ...strays];
  if (faults.length > 0) throw new UsageFailure(faults);
  return options;
}

function scenarioOf(given: Given): Scenario {
  const [word, ...more] = given.words;
  const names = SCENARIOS.map(({ name }) => name).join(', ');
  const known = SCENARIOS.find(({ name }) => name === word);
  if (word === undefined) given.faults.push(`no scenario named; give one of ${names}.`);
  else if (known === undefined)
    given.faults.push(`${JSON.stringify(word)} is no scenario; give one of ${names}.`);
  if (more.length > 0)
    given.faults.push(`${more.map((each) => JSON.stringify(each)).join(', ')}: one scenario a run.`);
  // The first stands in, so that the other faults are found as well.
  return known ?? (SCENARIOS[0] as Scenario);
}

function targetsOf(given: Given): Target[] {
  const texts = given.has('url') ? words(given.all('url')) : DEFAULT_URLS;
  return texts.flatMap((text) => {
    const [, region, node, url = ''] = /^(?:([\w.-]+)(?:\/([\w.-]+))?=)?(.*)$/.exec(text) ?? [];
    if (!isHttp(url)) {
      given.fault(
        'url',
        `${JSON.stringify(text)} is no address; write it like beijing=http://127.0.0.1:3001.`,
      );
      return [];
    }
    return [
      {
        url: url.replace(/\/$/, ''),
        ...(region === undefined ? {} : { region }),
        ...(node === undefined ? {} : { node }),
      },
    ];
  });
}

function metricsOf(given: Given, isGuess: boolean): MetricsSource[] {
  const texts = isGuess ? DEFAULT_METRICS : words(given.all('metrics'));
  return texts.flatMap((text) => {
    const [, node, url = ''] = /^(?:([\w.-]+)=)?(.*)$/.exec(text) ?? [];
    if (!isHttp(url)) {
      given.fault(
        'metrics',
        `${JSON.stringify(text)} is no address; write it like http://127.0.0.1:9101/metrics.`,
      );
      return [];
    }
    const { host, pathname } = new URL(url);
    return [{ node: node ?? host, url: pathname === '/' ? new URL('/metrics', url).href : url }];
  });
}

/** Several may be given in one value, with blanks between, as in REDIS_URLS. */
function words(texts: readonly string[]): string[] {
  return texts.flatMap((text) => text.split(/\s+/)).filter((text) => text !== '');
}

function isHttp(url: string): boolean {
  return /^https?:\/\//.test(url) && URL.canParse(url);
}

function credentialsOf(given: Given): Credentials {
  const flags = (['token', 'token-file', 'jwt-secret-file'] as const).filter((name) => given.has(name));
  if (flags.length > 1)
    given.faults.push(`${flags.map((name) => `--${name}`).join(' and ')}: give one of them.`);
  const secret = given.read('jwt-secret-file', (file) => textFrom(file).split(/[\s,]+/)[0] ?? '');
  if (secret !== undefined) return { kind: 'secret', secret };
  const token = given.get('token') ?? given.read('token-file', textFrom);
  return token === undefined ? { kind: 'none' } : { kind: 'token', token };
}

function roomsOf(given: Given, { defaults }: Scenario): { rooms: number; peers: number } {
  const sizes = (['pairs', 'rooms', 'connections'] as const).filter((flag) => given.has(flag));
  if (sizes.length > 1)
    given.faults.push(`${sizes.map((flag) => `--${flag}`).join(' and ')}: give one of them.`);
  if (given.has('pairs') && given.has('peers'))
    given.fault('pairs', 'are rooms of two: give --rooms with --peers.');
  const peers = given.has('pairs') ? 2 : (given.whole('peers', 2, 100) ?? defaults.peers);
  const connections = given.whole('connections', 2, CONNECTIONS_MAX) ?? defaults.connections;
  const max = Math.floor(CONNECTIONS_MAX / peers);
  const rooms =
    given.whole('pairs', 1, max) ?? given.whole('rooms', 1, max) ?? Math.ceil(connections / peers);
  return { rooms, peers };
}

/** As many workers as the connections need, and where there are processors to spare, one for each two of them. */
function workersOf(given: Given, { workersMin = 1 }: Scenario, connections: number): number {
  const needed = Math.max(workersMin, Math.ceil(connections / CONNECTIONS_PER_WORKER));
  const auto = Math.max(needed, Math.floor(availableParallelism() / 2));
  return given.get('workers') === 'auto' ? auto : (given.whole('workers', workersMin, 64) ?? auto);
}

function shareOf(text: string): number {
  const [, number, sign] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const share = Number(number) / (sign === '%' ? 100 : 1);
  if (share > 0 && share <= 1) return share;
  throw new Error(`${JSON.stringify(text)} is no share of the clients; write it like 50%.`);
}

function commandOf(given: Given, name: FlagName): string | undefined {
  return given.read(name, (text) => {
    if (wordsOf(text).length === 0) throw new Error('names no command.');
    return text;
  });
}

function listenOf(given: Given, { workersMin = 1 }: Scenario): LoadOptions['listen'] {
  const port = given.whole('listen', 1, 65_535);
  const expect = given.whole('expect', workersMin, 64);
  const secret = given.read('secret-file', secretFrom);
  const flags = (['listen', 'expect', 'secret-file'] as const).filter((name) => given.has(name));
  if (flags.length > 0 && flags.length < 3)
    given.faults.push('--listen, --expect and --secret-file go together: give all three.');
  if (given.has('listen') && given.has('workers'))
    given.fault('workers', 'means nothing with --listen: --expect says how many there are.');
  return port === undefined || expect === undefined || secret === undefined
    ? undefined
    : { port, expect, secret };
}

/** With several in one value, commas stand between. */
function slosOf(given: Given, { slos = [] }: Scenario): Slo[] {
  const texts = given.has('slo') ? given.all('slo') : slos;
  return texts.flatMap((text) => text.split(',')).flatMap((text) => sloOf(given, text));
}

function sloOf(given: Given, text: string): Slo[] {
  try {
    return [parseSlo(text)];
  } catch (error) {
    given.faults.push((error as Error).message);
    return [];
  }
}

/** Options that are for other scenarios. */
function misplaced(given: Given, { scenario, isAcross }: LoadOptions): string[] {
  const special: readonly FlagName[] = SCENARIOS.flatMap(({ flags }) => flags);
  const strays = [...new Set(special)].filter(
    (name) => name !== 'admin-token-file' && given.has(name) && !scenario.flags.includes(name),
  );
  const own = (['url', 'metrics'] as const).filter((name) => scenario.start !== undefined && given.has(name));
  return [
    ...(scenario.defaults.connections === 0 ? SIZES.filter((name) => given.has(name)) : []).map(
      (name) => `--${name} means nothing for ${scenario.name}: --rate says it all.`,
    ),
    ...own.map((name) => `--${name} means nothing for ${scenario.name}: it starts a cluster of its own.`),
    ...strays.map((name) => `--${name} means nothing for ${scenario.name}.`),
    ...(isAcross && !scenario.mayBeAcross
      ? [
          `--across means nothing for ${scenario.name}: its people answer each other, and belong to one worker.`,
        ]
      : []),
  ];
}

function shownOf(given: Given): Record<string, string | number | boolean> {
  return Object.fromEntries(
    SHOWN.filter((name) => given.has(name)).map((name) => [
      name,
      given.all(name).join(name === 'slo' ? ',' : ' ') || true,
    ]),
  );
}

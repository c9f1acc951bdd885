import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { AdminApi } from './admin-api.ts';
import { Crew, type Hello } from './crew.ts';
import { Chronicle } from './measures/chronicle.ts';
import { Scraper } from './measures/scraper.ts';
import type { Tick } from './messages.ts';
import type { LoadOptions } from './options.ts';
import type { Plan, Share } from './plan.ts';
import type { Progress, Unjudged } from './report/index.ts';
import { filesShort, portsShort } from './resources.ts';
import { resultOf } from './result-of.ts';
import type { Conductor, OwnCluster } from './scenarios/index.ts';

export interface Watcher {
  say(line: string): void;
  show(progress: Progress): void;
}

const BARRIER_MS = 500;
const POLL_MS = 50;
const BACK_SHARE = 0.99;
const RSS = 'signaling_process_resident_memory_bytes';

/** One run from its first connection to its result. Aborting ends it early, with what there is. */
export async function run(
  options: LoadOptions,
  watcher: Watcher,
  signal: AbortSignal,
  cluster?: OwnCluster,
): Promise<Unjudged> {
  const crew = await Crew.recruit(
    options.listen === undefined
      ? { kind: 'local', workers: options.workers }
      : { kind: 'listen', ...options.listen },
    signal,
    (line) => watcher.say(line),
  );
  const current = new Run(options, crew, watcher, signal, cluster);
  try {
    return await current.whole();
  } finally {
    crew.end();
  }
}

class Run implements Conductor {
  readonly options: LoadOptions;
  readonly admin: AdminApi | undefined;
  readonly signal: AbortSignal;
  readonly #crew: Crew;
  readonly #watcher: Watcher;
  readonly #chronicle: Chronicle;
  readonly #scraper: Scraper;
  readonly #cluster: OwnCluster | undefined;
  /** Since the last point of the timeline. */
  #ticks = 0;
  #beganS = 0;
  #phase = '';
  #recovery: { atS: number; sessions: number } | undefined;

  constructor(
    options: LoadOptions,
    crew: Crew,
    watcher: Watcher,
    signal: AbortSignal,
    cluster: OwnCluster | undefined,
  ) {
    this.options = options;
    this.#cluster = cluster;
    this.#crew = crew;
    this.#watcher = watcher;
    this.signal = signal;
    this.#chronicle = new Chronicle(options.durationS);
    this.#scraper = new Scraper(options.metrics);
    const [first] = options.metrics;
    this.admin =
      options.adminToken === undefined || first === undefined
        ? undefined
        : new AdminApi(first.url, options.adminToken);
  }

  get elapsedS(): number {
    return this.#chronicle.elapsedS - this.#beganS;
  }

  /** Fills the rooms, has the clients begin together, conducts the scenario, and waits until all has come to rest. */
  async whole(): Promise<Unjudged> {
    const { options } = this;
    const connections = options.rooms * options.peers;
    for (const warning of [
      ...filesShort(this.#crew.hellos, connections),
      ...portsShort(options.targets, connections),
    ])
      this.say(warning);
    await this.#scraper.read(0);
    const rssBefore = this.#scraper.newest(RSS);
    if (!options.isMetricsGuess)
      for (const { node, url } of this.#scraper.silent)
        this.say(`warning: ${url} does not answer: there will be no figures of ${node}.`);
    this.#crew.onTick = (tick) => this.#noted(tick);
    this.phase('ramp');
    const isReady = await Promise.race([
      // A worker that is lost is told of in the result.
      this.#crew
        .prepare((hello, share) => this.#partFor(hello, share))
        .then(
          () => true,
          () => false,
        ),
      aborted(this.signal).then(() => false),
    ]);
    this.#beganS = this.#chronicle.elapsedS + BARRIER_MS / 1_000;
    const failures: string[] = [];
    if (isReady) {
      this.#crew.go(BARRIER_MS);
      await sleep(BARRIER_MS);
      // Whatever stops it, those who are at work come to rest, and what they found is told.
      await (this.#cluster ?? options.scenario)
        .conduct(this)
        .catch((error: Error) => failures.push(`the scenario was not carried out: ${error.message}`));
    }
    const durationS = Math.max(0, this.elapsedS);
    await this.#scraper.read(this.#chronicle.elapsedS);
    const rssAfter = this.#scraper.newest(RSS);
    this.phase('rest');
    const results = await this.#crew.finish();
    this.#point();
    this.#chronicle.endPhase();
    for (const { unsettled, examples } of results)
      for (const line of [...unsettled.map((what) => `not at rest: ${what}`), ...examples]) this.say(line);
    const result = resultOf({
      options,
      results,
      durationS,
      hellos: this.#crew.hellos,
      failures: [...this.#crew.failures.map((each) => `a worker was lost: ${each}`), ...failures],
      chronicle: this.#chronicle,
      server: this.#scraper.series().filter(({ points }) => points.length > 0),
      rss: rssBefore === undefined || rssAfter === undefined ? undefined : [rssBefore, rssAfter],
      recovery: this.#recovery,
    });
    for (const [name, { wrong }] of Object.entries(result.attacks ?? {}))
      for (const what of wrong) this.say(`wrong answer to ${name}: ${what}`);
    return result;
  }

  phase(name: string): void {
    this.#phase = name;
    this.#chronicle.phase(name);
  }

  say(line: string): void {
    this.#watcher.say(line);
  }

  async until(atS: number): Promise<void> {
    await sleep(Math.max(0, atS - this.elapsedS) * 1_000, undefined, { signal: this.signal }).catch(() => {});
  }

  async drop(share: number, withinS: number): Promise<void> {
    const atS = this.#chronicle.elapsedS;
    const sessions = await this.#crew.drop(share);
    this.#recovery = { atS, sessions };
    this.say(`${sessions} clients were cut off`);
    const untilS = this.elapsedS + withinS;
    // What workers tell once a second tells when to go on; when each was back, they tell in the end.
    const ticksBefore = this.#chronicle.elapsedS + 1;
    while (this.elapsedS < untilS && !this.signal.aborted) {
      const away = this.#crew.ticks.reduce((sum, tick) => sum + tick.away, 0);
      if (this.#chronicle.elapsedS > ticksBefore + 1 && away <= (1 - BACK_SHARE) * sessions) return;
      await sleep(POLL_MS);
    }
  }

  /** The last worker attacks, where that is what is asked, and the others are those whom it must not harm. */
  #partFor({ region }: Hello, share: Share): { plan: Plan; share: Share } {
    const plan = this.#planFor(region);
    if (plan.activity !== 'abuse') return { plan, share };
    const others = share.of - 1;
    if (share.index === others) return { plan: { ...plan, rooms: 0, rate: 0 }, share };
    return { plan: { ...plan, activity: 'stream' }, share: { index: share.index, of: others } };
  }

  #planFor(region: string | undefined): Plan {
    const { options } = this;
    const near = options.targets.filter((target) => region === undefined || target.region === region);
    return {
      runId: this.#runId,
      seed: options.seed,
      targets: near.length > 0 ? near : options.targets,
      isPinned: options.isPinned,
      isAcross: options.isAcross,
      hasHomes: this.#cluster !== undefined,
      credentials: options.credentials,
      rooms: options.rooms,
      peers: options.peers,
      rampPerS: options.rampPerS,
      activity: options.scenario.activity,
      rate: options.rate,
      durationS: options.durationS,
      isOpenEnded: options.scenario.isOpenEnded === true,
      holdS: options.holdS,
      churnPerS: options.churnPerS,
    };
  }

  readonly #runId = randomBytes(4).toString('hex');

  /** A point when all have told of the time since the last one: by a clock of our own, one would get two seconds of somebody. */
  #noted(tick: Tick): void {
    this.#chronicle.note(tick);
    this.#ticks += 1;
    const living = Math.max(1, this.#crew.size - this.#crew.failures.length);
    if (this.#ticks < living * this.#chronicle.everyS) return;
    this.#ticks = 0;
    this.#point();
  }

  #point(): void {
    void this.#scraper.read(this.#chronicle.elapsedS);
    const { scenario, durationS } = this.options;
    this.#watcher.show({
      scenario: scenario.name,
      phase: this.#phase,
      elapsedS: Math.max(0, this.elapsedS),
      durationS,
      ...this.#chronicle.point(this.#crew.ticks),
    });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

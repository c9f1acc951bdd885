import { setTimeout as sleep } from 'node:timers/promises';

import type { Attack } from './attack.ts';
import { Phases, quantile } from './honest/measures.ts';
import { Newcomers } from './honest/newcomers.ts';
import { Pairs } from './honest/pairs.ts';
import type { SiegeReport } from './siege/siege.ts';
import { type SiegeProcess, startSiege } from './siege/siege-process.ts';
import { type RedisState, startTarget, type Target, usage } from './target.ts';
import { newKeys, tokenOf } from './wire/tokens.ts';

export interface Latency {
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

/** What honest people met, before, under and after the attack. */
export interface HonestReport {
  readonly relay: Latency;
  readonly join: Latency;
  readonly refused: Readonly<Record<string, number>>;
}

export interface DrillReport {
  readonly attack: Attack;
  readonly seconds: number;
  /** Nodes that ended by themselves, with their last words. */
  readonly deaths: readonly string[];
  readonly calm: HonestReport;
  readonly attacked: HonestReport;
  readonly after: HonestReport;
  /** Of the node with the most, in bytes. */
  readonly memory: { readonly before: number; readonly peak: number; readonly after: number };
  readonly redis: { readonly before: RedisState; readonly after: RedisState };
  /** Of one core, by the node with the most. */
  readonly coreShare: { readonly calm: number; readonly attacked: number };
  /** Whether each node says, some seconds after the attack, that it takes clients. */
  readonly isReadyAfter: boolean;
  readonly siege: SiegeReport;
}

const CALM_MS = 6_000;
const AFTER_MS = 6_000;
/** Newcomers come faster at first: what a node takes once, for its first hundreds of clients, is no harm of the attack. */
const WARM_UP_MS = 4_000;
const WARM_UP_EVERY_MS = 10;
const NEWCOMER_EVERY_MS = 200;
const SAMPLE_MS = 200;
const SECRET = 'a-secret-of-this-drill-alone-forty-letters';
const OPS_MS = 2_000;

/** One attack on a cluster of its own, with honest people beside. Leaves nothing running. */
export async function drill(attack: Attack, seconds: number): Promise<DrillReport> {
  const isOpen = attack.auth === 'open';
  const { keys, publicKeys } = newKeys(SECRET);
  const target = await startTarget(
    { ...settingsOf(isOpen, publicKeys), ...attack.settings },
    attack.filesMax,
  );
  try {
    const siege = await startSiege({
      attack: attack.id,
      ports: target.nodes.map(({ port }) => port),
      keys: isOpen ? undefined : keys,
      seconds,
    });
    try {
      const auth = (sub: string) => (isOpen ? '' : `{"token":"${tokenOf({ sub }, keys)}"}`);
      return await suffer(attack, seconds, target, siege, auth);
    } finally {
      siege.stop();
    }
  } finally {
    await target.stop();
  }
}

async function suffer(
  attack: Attack,
  seconds: number,
  target: Target,
  siege: SiegeProcess,
  auth: (sub: string) => string,
): Promise<DrillReport> {
  const phases = new Phases();
  const options = { ports: target.nodes.map(({ port }) => port), phases, auth };
  const pairs = await Pairs.join(options);
  const newcomers = new Newcomers(options);
  const watch = new Watch(target);
  newcomers.come(WARM_UP_EVERY_MS);
  pairs.talk();
  await sleep(WARM_UP_MS);
  newcomers.come(NEWCOMER_EVERY_MS);
  await sleep(SAMPLE_MS);

  phases.current = 'calm';
  watch.begin();
  await sleep(CALM_MS);
  const calm = watch.end();
  const redisBefore = await target.redis();

  phases.current = 'attacked';
  watch.begin();
  void watch.death.then(siege.callOff);
  const [report] = await Promise.all([siege.begin(), Promise.race([sleep(seconds * 1_000), watch.death])]);
  const attacked = watch.end();

  phases.current = 'after';
  const redisAfter = await target.redis();
  watch.begin();
  if (deathsOf(target).length === 0) await sleep(AFTER_MS);
  const isReadyAfter = await areReady(target);
  const after = watch.end();
  watch.stop();
  const deaths = deathsOf(target);
  await Promise.all([pairs.stop(), newcomers.stop()]);
  return {
    attack,
    seconds,
    deaths,
    calm: honestReport(phases, 'calm'),
    attacked: honestReport(phases, 'attacked'),
    after: honestReport(phases, 'after'),
    memory: { before: calm.lastBytes, peak: attacked.peakBytes, after: after.lastBytes },
    redis: { before: redisBefore, after: redisAfter },
    coreShare: { calm: calm.coreShare, attacked: attacked.coreShare },
    isReadyAfter,
    siege: report,
  };
}

/** As an operator has them in production; only an open cluster may not call itself that. */
function settingsOf(isOpen: boolean, publicKeys: string): Record<string, string> {
  if (isOpen) return { AUTH: 'open', LOG_LEVEL: 'info' };
  return {
    NODE_ENV: 'production',
    AUTH: 'required',
    JWT_SECRET: SECRET,
    JWT_PUBLIC_KEY: publicKeys,
    ALLOWED_ORIGINS: 'https://call.example.org',
    LOG_LEVEL: 'info',
  };
}

function deathsOf({ nodes }: Target): string[] {
  return nodes.flatMap(({ death }) => (death === undefined ? [] : [death]));
}

function honestReport(phases: Phases, phase: 'calm' | 'attacked' | 'after'): HonestReport {
  const { relayMs, joinMs, refused } = phases.of(phase);
  const latency = (values: readonly number[]) => ({
    p50Ms: quantile(values, 0.5),
    p99Ms: quantile(values, 0.99),
  });
  return { relay: latency(relayMs), join: latency(joinMs), refused };
}

async function areReady({ nodes }: Target): Promise<boolean> {
  const each = await Promise.all(
    nodes.map(({ opsUrl }) =>
      fetch(`${opsUrl}/readyz`, { signal: AbortSignal.timeout(OPS_MS) }).then(
        ({ ok }) => ok,
        () => false,
      ),
    ),
  );
  return each.every(Boolean);
}

interface Watched {
  readonly coreShare: number;
  readonly peakBytes: number;
  readonly lastBytes: number;
}

/** Samples what the nodes take. A node that has ended takes what it took last. */
class Watch {
  /** Resolves when a node has ended. */
  readonly death: Promise<void>;
  readonly #target: Target;
  readonly #timer: NodeJS.Timeout;
  #cpuUs: number[] = [];
  #startCpuUs: number[] = [];
  #startMs = 0;
  #peakBytes = 0;
  #lastBytes = 0;

  constructor(target: Target) {
    this.#target = target;
    const died = Promise.withResolvers<void>();
    this.death = died.promise;
    this.#timer = setInterval(() => {
      this.#sample();
      if (deathsOf(target).length > 0) died.resolve();
    }, SAMPLE_MS);
  }

  begin(): void {
    this.#peakBytes = 0;
    this.#sample();
    this.#startCpuUs = [...this.#cpuUs];
    this.#startMs = performance.now();
  }

  end(): Watched {
    this.#sample();
    const us = (performance.now() - this.#startMs) * 1_000;
    const shares = this.#cpuUs.map((cpu, index) => (cpu - (this.#startCpuUs[index] ?? 0)) / us);
    return { coreShare: Math.max(...shares), peakBytes: this.#peakBytes, lastBytes: this.#lastBytes };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const samples = this.#target.nodes.map(usage);
    this.#cpuUs = samples.map((sample, index) => sample?.cpuUs ?? this.#cpuUs[index] ?? 0);
    const bytes = samples.flatMap((sample) => (sample === undefined ? [] : [sample.rssBytes]));
    if (bytes.length === 0) return;
    this.#lastBytes = Math.max(...bytes);
    this.#peakBytes = Math.max(this.#peakBytes, this.#lastBytes);
  }
}

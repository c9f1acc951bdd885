import { type ClusterUnderTest, startClusterUnderTest } from '../../services/loadtest/cluster-under-test.ts';
import type { ClusterName } from './steps.ts';
import { makeTokens, type Tokens } from './tokens.ts';

/** A cluster that is fuzzed: two nodes and a Redis of its own, and what all connections to it learn. */
export interface Target {
  readonly name: ClusterName;
  readonly cluster: ClusterUnderTest;
  readonly tokens: Tokens;
  readonly world: World;
  redis(command: readonly string[]): Promise<void>;
  /** Why a node ended that should not have. */
  readonly crashes: readonly string[];
  stop(): Promise<void>;
}

/** Values from replies to one connection that every other connection may use. */
export interface World {
  readonly peers: Recent;
  readonly resumeTokens: Recent;
  readonly incarnations: readonly string[];
}

const KEPT = 64;

/** The last few texts that were seen. */
export class Recent {
  readonly #texts: string[] = [];

  add(text: string): void {
    this.#texts.push(text);
    if (this.#texts.length > KEPT) this.#texts.shift();
  }

  at(number: number): string | undefined {
    return this.#texts.length === 0 ? undefined : this.#texts[number % this.#texts.length];
  }
}

export interface TargetOptions {
  /** Leaves the nodes' limits of addresses and users on. */
  readonly hasLimits: boolean;
  readonly logsDir?: string;
}

/** Short, so that what detached sessions hold is given back within the run. Pings come every second. */
export const RESUME_WINDOW_MS = 6_000;
const NODES = 2;

export async function startTarget(name: ClusterName, options: TargetOptions): Promise<Target> {
  const tokens = makeTokens();
  const cluster = await startClusterUnderTest({
    nodes: NODES,
    redis: 'single',
    hasSilentWays: false,
    resumeWindowMs: RESUME_WINDOW_MS,
    logLevel: 'warn',
    ...(options.logsDir === undefined ? {} : { logsDir: `${options.logsDir}/${name}` }),
    settings: {
      AUTH: name,
      ...(name === 'required' ? { JWT_PUBLIC_KEY: tokens.publicKey } : {}),
      ...(options.hasLimits ? {} : { ADDRESS_PEERS_MAX: '0' }),
    },
  });
  try {
    const redis = await cluster.redis();
    const incarnations = (await redis.ask('HKEYS', 'fenghuo:{home}:leases')).split('\n');
    return {
      name,
      cluster,
      tokens,
      world: { peers: new Recent(), resumeTokens: new Recent(), incarnations },
      // Redis refuses some of these commands.
      redis: (command) => redis.ask(...command).then(noValue, noValue),
      crashes: cluster.crashes,
      stop: cluster.stop,
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

function noValue(): void {}

import type { Options } from './options.ts';

/** One node to start: its name, its place and its addresses. */
export interface NodePlan {
  readonly nodeId: string;
  readonly region: string;
  readonly host: string;
  readonly port: number;
  readonly opsHost: string;
  readonly opsPort: number;
}

export const REGIONS = ['beijing', 'shanghai'] as const;

/** Names and places the nodes: beijing-1, shanghai-1, beijing-2, …, on ports that count up. */
export function planNodes(options: Options): NodePlan[] {
  return Array.from({ length: options.nodes }, (_, index) => {
    const region = REGIONS[index % REGIONS.length] as string;
    return {
      nodeId: `${region}-${Math.floor(index / REGIONS.length) + 1}`,
      region,
      host: options.host,
      port: options.port + index,
      opsHost: '127.0.0.1',
      opsPort: options.opsPort + index,
    };
  });
}

/** How nodes reach what they share: `REDIS_URL`, `REDIS_URLS`, or, in memory, nothing. */
export type RedisSettings = Readonly<Partial<Record<'REDIS_URL' | 'REDIS_URLS', string>>>;

/** The environment of a node: the caller's, with what `npm start` decides in place of it. */
export function nodeEnvironment(
  plan: NodePlan,
  redis: RedisSettings,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const { REDIS_URL, REDIS_URLS, BACKPLANE, NODE_ENV, ...rest } = env;
  const own = {
    NODE_ID: plan.nodeId,
    REGION: plan.region,
    HOST: plan.host,
    PORT: String(plan.port),
    OPS_HOST: plan.opsHost,
    OPS_PORT: String(plan.opsPort),
    AUTH: 'open',
    LOG_LEVEL: env.LOG_LEVEL || 'warn',
    ...redis,
    // Regions with homes of their own are for choosing among; else each page is to stay at its node.
    ...(redis.REDIS_URLS === undefined || isEverywhere(plan.host) ? {} : { PUBLIC_URL: pageUrl(plan) }),
  };
  return { ...(rest as Record<string, string>), ...own };
}

export function pageUrl(plan: NodePlan): string {
  return `http://${nameable(plan.host)}:${plan.port}/`;
}

export function operatorsUrl(plan: NodePlan): string {
  return `http://${nameable(plan.opsHost)}:${plan.opsPort}`;
}

/** By which address others reach such a listener, only they know. */
function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** An address that one can open: a listener on every address is reached at this machine's own. */
function nameable(host: string): string {
  if (isEverywhere(host)) return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

import { REGION_ENDPOINTS_MAX, REGIONS_MAX, type RegionEntry, type RegionsReply } from '@fenghuo/protocol';
import type { FastifyInstance } from 'fastify';
import { BEAT_MS, type Lease } from '../backplane/leases.ts';
import { type AllowedOrigins, keepToOrigins } from './origins.ts';

export interface RegionsRouteOptions extends AllowedOrigins {
  readonly nodeId: string;
  readonly region: string;
  readonly publicUrl: string | undefined;
  /** Of every node that stands, this one's included; undefined where that is not known now. */
  readonly leases: () => readonly Lease[] | undefined;
  readonly nowMs: () => number;
}

/** Nodes tell of themselves no more often. */
const MADE_ANEW_AFTER_MS = BEAT_MS / 2;

/**
 * `GET /regions`: where clients may enter the cluster, for whoever wants to measure the ways there. It needs no token and
 * asks nobody: nodes tell of themselves with their beats. While the backplane is away it tells what was true last.
 */
export function regionsRoute(options: RegionsRouteOptions) {
  let madeAtMs = Number.NEGATIVE_INFINITY;
  let reply = replyFrom(options, []);

  return async (server: FastifyInstance): Promise<void> => {
    keepToOrigins(server, options);
    server.get('/regions', async (_, response) => {
      const nowMs = options.nowMs();
      if (nowMs - madeAtMs >= MADE_ANEW_AFTER_MS) {
        madeAtMs = nowMs;
        const leases = options.leases();
        if (leases !== undefined) reply = replyFrom(options, leases);
      }
      response.header('cache-control', 'no-store');
      return reply;
    });
  };
}

function replyFrom(own: RegionsRouteOptions, leases: readonly Lease[]): RegionsReply {
  const found = new Map<string, { endpoints: Set<string>; nodes: number }>();
  const note = (region: string, endpoint: string | undefined, nodes: number) => {
    const entry = found.get(region) ?? { endpoints: new Set(), nodes: 0 };
    entry.nodes += nodes;
    if (endpoint !== undefined) entry.endpoints.add(endpoint);
    found.set(region, entry);
  };
  note(own.region, own.publicUrl, 0);
  for (const { load } of leases) {
    const { region, publicUrl } = load?.report ?? {};
    if (region !== undefined) note(region, publicUrl, load?.isAdmitting ? 1 : 0);
  }
  const regions = [...found]
    .map(([name, { endpoints, nodes }]): RegionEntry => {
      return { name, endpoints: [...endpoints].sort().slice(0, REGION_ENDPOINTS_MAX), nodes };
    })
    .sort((one, other) => rank(one) - rank(other) || (one.name < other.name ? -1 : 1));
  return { region: own.region, node: own.nodeId, regions: regions.slice(0, REGIONS_MAX) };

  function rank({ name }: RegionEntry): 0 | 1 {
    return name === own.region ? 0 : 1;
  }
}

import { REGION_ENDPOINTS_MAX, REGIONS_MAX, type RegionEntry, type RegionsReply } from '@fenghuo/protocol';
import { abortedWithin } from './deadline.ts';
import { addressAt, isUrl } from './endpoint-url.ts';

/** A part of the cluster, and the addresses at which it is entered: of nodes, or of a load balancer before them. */
export interface Region {
  readonly name: string;
  readonly endpoints: readonly string[];
  /** How many of its nodes take new connections, where that is known: one with 0 comes after all others. */
  readonly nodes?: number;
}

export interface RegionTime {
  readonly name: string;
  /** The shortest round trip that was seen; undefined: it did not answer in time, or there is no other to compare it with. */
  readonly roundTripMs: number | undefined;
}

export type MeasuredRegion = Region & RegionTime;

export interface SurveyOptions {
  /** To be the first, whatever its time: a person's choice, say. Without effect where there is no such region. */
  readonly region?: string | undefined;
  /** Replaces the browser's in tests. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Measures the way to each region, all at once, and returns them in the order in which they are worth trying: the nearest
 * first, and last those that did not answer in a second and a half. Given addresses instead of regions, it asks there
 * which regions there are, one address after the other until one tells; none: the list is empty.
 */
export async function surveyRegions(
  from: readonly string[] | readonly Region[],
  options: SurveyOptions = {},
): Promise<readonly MeasuredRegion[]> {
  const regions = areUrls(from) ? await discover(from, options) : from;
  const isChoice = regions.length > 1;
  const measured = regions.map(async (region) => {
    return { ...region, roundTripMs: isChoice ? await roundTripTo(region.endpoints, options) : undefined };
  });
  return inOrder(await Promise.all(measured), options.region);
}

/** The chosen region first, then the nearest; of those that are about as near as that the one that was named first. */
export function inOrder(
  regions: readonly MeasuredRegion[],
  chosen: string | undefined,
): readonly MeasuredRegion[] {
  const distance = ({ nodes, roundTripMs = UNANSWERED }: MeasuredRegion) =>
    nodes === 0 ? roundTripMs + CLOSED : roundTripMs;
  const byDistance = [...regions].sort((one, other) => distance(one) - distance(other));
  const [nearest] = byDistance;
  const first =
    regions.find(({ name }) => name === chosen) ??
    regions.find((each) => nearest !== undefined && distance(each) <= distance(nearest) + AS_NEAR_MS);
  return first === undefined ? [] : [first, ...byDistance.filter((each) => each !== first)];
}

export function areUrls(from: readonly string[] | readonly Region[]): from is readonly string[] {
  return typeof from[0] === 'string';
}

async function discover(urls: readonly string[], options: SurveyOptions): Promise<readonly Region[]> {
  for (const url of urls) {
    const reply = await ask(url, abortedWithin(ANSWER_WITHIN_MS, options.signal), options.fetch).catch(
      () => undefined,
    );
    const told: unknown = await reply?.json().catch(() => undefined);
    if (reply?.ok === true && isRegionsReply(told)) return usable(told, url);
  }
  return [];
}

/**
 * Of the region of the node that was asked there is a way in at least: the one by which it was asked. Whoever asks there
 * by https brings a token, perhaps, and is led nowhere where others could read it.
 */
function usable({ region, regions }: RegionsReply, askedAt: string): readonly Region[] {
  const isUsable = askedAt.startsWith('https:') ? /^https:/ : /^https?:/;
  return regions
    .map(({ name, endpoints, nodes }) => {
      const all = [...endpoints.slice(0, REGION_ENDPOINTS_MAX), ...(name === region ? [askedAt] : [])];
      const urls = all.filter((each) => isUsable.test(each) && isUrl(each));
      return { name, endpoints: [...new Set(urls.map((each) => new URL(each).href))], nodes };
    })
    .filter(({ endpoints }) => endpoints.length > 0)
    .slice(0, REGIONS_MAX);
}

function isRegionsReply(told: unknown): told is RegionsReply {
  const { region, regions } = (told ?? {}) as Partial<RegionsReply>;
  return typeof region === 'string' && Array.isArray(regions) && regions.every(isEntry);
}

function isEntry(told: unknown): told is RegionEntry {
  const { name, endpoints, nodes } = (told ?? {}) as Partial<RegionEntry>;
  return (
    typeof name === 'string' &&
    typeof nodes === 'number' &&
    Array.isArray(endpoints) &&
    endpoints.every((each: unknown) => typeof each === 'string')
  );
}

/** By the first endpoint that answers. */
async function roundTripTo(
  endpoints: readonly string[],
  { signal, fetch }: SurveyOptions,
): Promise<number | undefined> {
  const deadline = abortedWithin(ANSWER_WITHIN_MS, signal);
  for (const endpoint of endpoints) {
    const times: number[] = [];
    try {
      while (times.length < TRIES) times.push(await timeOf(endpoint, deadline, fetch));
    } catch {
      // What was measured before the time was up counts.
    }
    if (times.length > 0) return Math.min(...times);
  }
  return undefined;
}

async function timeOf(endpoint: string, signal: AbortSignal, fetch: SurveyOptions['fetch']): Promise<number> {
  const askedAt = performance.now();
  const reply = await ask(endpoint, signal, fetch);
  const tookMs = performance.now() - askedAt;
  // A load balancer without a node to ask is near for nothing.
  if (reply.status >= 500) throw new Error(`The endpoint answered ${reply.status}.`);
  await reply.arrayBuffer(); // Only then is its connection used for the next one.
  return tookMs;
}

function ask(endpoint: string, signal: AbortSignal, fetch = globalThis.fetch): Promise<Response> {
  return fetch(addressAt(endpoint, 'regions').href, { signal, cache: 'no-store' });
}

const ANSWER_WITHIN_MS = 1_500;
/** The first holds the opening of the connection, and the others its use. */
const TRIES = 3;
/** Less is chance, and no reason to go elsewhere. */
const AS_NEAR_MS = 10;
/** Further than any region that answers; those without a node that takes anybody are further still. */
const UNANSWERED = 1e6;
const CLOSED = 1e9;

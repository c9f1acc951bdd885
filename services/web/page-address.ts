import { remembered } from './remember.ts';

export { remember } from './remember.ts';

/**
 * A link may fill in `?room=…&name=…&media=fake|camera&lang=en|zh&nodes=http://…,http://…&region=…`, and
 * `#token=…` (or `&token=…`, which servers and proxies write down) for a cluster that asks for tokens. Anybody can make
 * a link, so it starts nothing: no device is opened, and nobody is connected to, before the person enters.
 */
export interface PageAddress {
  readonly room: string;
  readonly name: string;
  /** `camera` where not said otherwise. */
  readonly media: 'fake' | 'camera';
  readonly language: string | undefined;
  /**
   * Nodes of one cluster, the first preferred: the one that the page came from, unless the link names others. A region
   * goes with them, for the load balancer that chooses among its nodes.
   */
  readonly nodes: readonly [string, ...string[]];
  /** Origins of those nodes that are not the page's own: the lobby names them before the person enters. */
  readonly foreignNodes: readonly string[];
  /** The link names no nodes: the one that the page came from is asked for the cluster's regions. */
  readonly isDiscovering: boolean;
  /** By the link, or else as it was chosen by hand; undefined: the nearest. */
  readonly region: string | undefined;
  readonly token: string | undefined;
}

export function readPageAddress({
  search,
  hash,
  origin,
}: Pick<Location, 'search' | 'hash' | 'origin'>): PageAddress {
  const query = new URLSearchParams(search);
  const token = new URLSearchParams(hash.slice(1)).get('token') ?? query.get('token');
  const named = httpAddresses(query.get('nodes'));
  return {
    room: query.get('room') ?? suggestRoom(),
    name: query.get('name') ?? remembered('name') ?? '',
    media: query.get('media') === 'fake' ? 'fake' : 'camera',
    language: query.get('lang') ?? remembered('language'),
    nodes: inRegion(named ?? [origin], query.get('region')),
    foreignNodes: (named ?? []).filter((node) => node !== origin),
    isDiscovering: named === undefined,
    region: (query.get('region') ?? remembered('region')) || undefined,
    token: token ?? undefined,
  };
}

/** The link by which others come into a room. It names no person and no region, and hands on nobody's token. */
export function roomLink({ href }: Pick<Location, 'href'>, room: string): string {
  const link = new URL(href);
  link.hash = '';
  for (const name of ['name', 'autojoin', 'media', 'lang', 'region', 'token']) link.searchParams.delete(name);
  link.searchParams.set('room', room);
  return link.href;
}

/** Passes and forts of the Great Wall. */
const PLACES = ['yumen', 'yangguan', 'jiayuguan', 'yanmen', 'juyong', 'badaling', 'mutianyu', 'shanhai'];

function suggestRoom(): string {
  const place = PLACES[Math.floor(Math.random() * PLACES.length)];
  return `${place}-${100 + Math.floor(Math.random() * 900)}`;
}

function inRegion(
  [first, ...others]: readonly [string, ...string[]],
  region: string | null,
): [string, ...string[]] {
  const query = region === null ? '' : `/?${new URLSearchParams({ region })}`;
  return [first + query, ...others.map((node) => node + query)];
}

/** A person can read so many, and a cluster is entered at fewer. */
const NODES_MAX = 16;

function readUrl(text: string): URL[] {
  try {
    return [new URL(text)];
  } catch {
    return [];
  }
}

/** Those of a comma-separated list that are web addresses, each once; undefined where none is. */
function httpAddresses(text: string | null): [string, ...string[]] | undefined {
  const urls = (text ?? '').split(',').flatMap(readUrl);
  const origins = urls.filter(({ protocol }) => /^https?:$/.test(protocol)).map(({ origin }) => origin);
  const [first, ...others] = [...new Set(origins)].slice(0, NODES_MAX);
  return first === undefined ? undefined : [first, ...others];
}

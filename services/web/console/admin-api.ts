import type { Moderation, Peer, Room } from '@fenghuo/protocol';

/** What a node last said of itself with its beat. `null`: its version does not tell. */
export interface NodeReport {
  readonly id: string;
  /** Living processes of that name; several share it by mistake. */
  readonly processes: number;
  readonly region: string | null;
  readonly version: string | null;
  readonly connections: number;
  readonly connections_max: number | null;
  readonly peers: number | null;
  readonly rooms: number | null;
  readonly messages_per_second: number | null;
  /** The worst since the beat before. */
  readonly event_loop_delay_ms: number | null;
  readonly draining: boolean | null;
  /** It takes new connections. */
  readonly admitting: boolean;
  readonly uptime_s: number | null;
}

/** `id` is `name@home`; `connected` counts those of its peers who have a connection now. */
export interface RoomSummary extends Room {
  readonly id: string;
  readonly peers: number;
  readonly connected: number;
}

/** What happened in the cluster; beyond these members each event has its own. */
export interface ClusterEvent {
  readonly id: string;
  readonly at: string | number;
  readonly node: string;
  readonly event: string;
  readonly [member: string]: unknown;
}

export interface RoomQuery {
  readonly filter: string;
  readonly sort: 'size' | 'name';
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** Absent: everyone. */
export type Audience = { readonly region: string } | { readonly node: string } | { readonly room: string };

export interface Announcement {
  readonly level: 'info' | 'warning';
  readonly text: string;
  readonly to?: Audience;
}

export interface RoomMessage {
  readonly to?: string;
  readonly topic: string;
  readonly data: unknown;
}

export interface NodesReply {
  readonly nodes: readonly NodeReport[];
}
export interface RoomsReply {
  readonly rooms: readonly RoomSummary[];
  /** Of all rooms, whatever the filter. */
  readonly total: number;
  /** Absent on the last page. A page may be empty and yet not the last. */
  readonly next_cursor?: string;
}
export interface RoomReply {
  readonly room: RoomSummary;
  readonly peers: readonly Peer[];
}
export interface AnnouncementReply {
  readonly connections: number;
  readonly nodes: readonly { readonly id: string; readonly connections: number }[];
  /** Nodes that did not answer within a second. */
  readonly silent: readonly string[];
}
export interface EventsReply {
  readonly events: readonly ClusterEvent[];
  readonly last_id?: string;
}

/** The API's own codes, and two of this side: nobody answered, or with something that is none of the API's. */
export const FAILURES = [
  'invalid_request',
  'unauthorized',
  'forbidden',
  'node_not_found',
  'room_not_found',
  'peer_not_found',
  'unavailable',
  'unreachable',
  'unreadable',
] as const;
export type FailureCode = (typeof FAILURES)[number];

export interface Failure {
  readonly ok: false;
  readonly code: FailureCode;
  /** In English, for who looks closer. */
  readonly message: string;
}
export type Answer<T> = (T & { readonly ok: true }) | Failure;

/** A node that is alive answers in milliseconds; one that hangs is not waited for. */
const TIMEOUT_MS = 5_000;
/** What a header takes as it is. */
const SENDABLE = /^[\x21-\x7e]+$/;

/** /admin/v1 of the node that the console came from. No call rejects. */
export class AdminApi {
  readonly #token: string;
  readonly #fetch: typeof fetch;

  constructor(token: string, fetcher: typeof fetch = (...args) => fetch(...args)) {
    this.#token = token;
    this.#fetch = fetcher;
  }

  nodes(signal?: AbortSignal): Promise<Answer<NodesReply>> {
    return this.#ask('GET', '/nodes', { signal, list: 'nodes' });
  }

  rooms({ filter, sort, limit, cursor }: RoomQuery, signal?: AbortSignal): Promise<Answer<RoomsReply>> {
    const query = new URLSearchParams({ sort, limit: String(limit) });
    if (filter !== '') query.set('filter', filter);
    if (cursor !== undefined) query.set('cursor', cursor);
    return this.#ask('GET', `/rooms?${query}`, { signal, list: 'rooms' });
  }

  room(id: string, signal?: AbortSignal): Promise<Answer<RoomReply>> {
    return this.#ask('GET', roomPath(id), { signal, list: 'peers' });
  }

  events(after: string | undefined, signal?: AbortSignal): Promise<Answer<EventsReply>> {
    const query = after === undefined ? '' : `?after=${encodeURIComponent(after)}`;
    return this.#ask('GET', `/events${query}`, { signal, list: 'events' });
  }

  drain(node: string, text: string): Promise<Answer<object>> {
    return this.#ask('POST', `/nodes/${encodeURIComponent(node)}/drain`, {
      body: text === '' ? {} : { text },
    });
  }

  undrain(node: string): Promise<Answer<object>> {
    return this.#ask('DELETE', `/nodes/${encodeURIComponent(node)}/drain`);
  }

  moderate(room: string, order: Moderation): Promise<Answer<object>> {
    return this.#ask('POST', roomPath(room, '/moderate'), { body: order });
  }

  send(room: string, message: RoomMessage): Promise<Answer<object>> {
    return this.#ask('POST', roomPath(room, '/messages'), { body: message });
  }

  announce(announcement: Announcement): Promise<Answer<AnnouncementReply>> {
    return this.#ask('POST', '/announcements', { body: announcement, list: 'silent' });
  }

  /** `list` names a member that has to be a list for the reply to be one of the API's. */
  async #ask<T>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    { body, list, signal }: { body?: object; list?: string; signal?: AbortSignal | undefined } = {},
  ): Promise<Answer<T>> {
    if (!SENDABLE.test(this.#token)) return failure('unauthorized', 'No header can hold this token.');
    const abort = new AbortController();
    const end = () => abort.abort();
    const timer = setTimeout(end, TIMEOUT_MS);
    if (signal?.aborted === true) end();
    signal?.addEventListener('abort', end);
    try {
      const response = await this.#fetch(`/admin/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: abort.signal,
        cache: 'no-store',
      });
      return read(response.status, await response.text(), list);
    } catch (error) {
      return failure('unreachable', String(error));
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
    }
  }
}

/** In the query any name can stand; a path would lose `.` and `..`. */
function roomPath(room: string, what = ''): string {
  return `/room${what}?${new URLSearchParams({ room })}`;
}

function read<T>(status: number, text: string, list: string | undefined): Answer<T> {
  const reply = parse(text);
  if (reply?.ok === true && (list === undefined || Array.isArray(reply[list]))) return reply as Answer<T>;
  const { code, message } = (reply?.ok === false ? reply.error : undefined) ?? {};
  const known = FAILURES.find((each) => each === code);
  return known === undefined
    ? failure('unreadable', `HTTP ${status} without an answer of this API`)
    : failure(known, String(message ?? ''));
}

interface RawReply {
  readonly ok?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown };
  readonly [member: string]: unknown;
}

function parse(text: string): RawReply | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as RawReply) : undefined;
  } catch {
    return undefined;
  }
}

function failure(code: FailureCode, message: string): Failure {
  return { ok: false, code, message };
}

import { vi } from 'vitest';

import {
  type Answer,
  type Events,
  type JoinOptions,
  join,
  type Peer,
  type PeerId,
  type RoomSession,
  type ServerEvent,
  type SessionState,
  type SignalingConnection,
  SignalingError,
} from '../../../services/client/index.ts';

type Options = Parameters<NonNullable<JoinOptions['connect']>>[1];

/** Opens fake connections, one after the other; the test is every node. */
export class FakeCluster {
  readonly connections: FakeSignaling[] = [];
  /** Every try to connect, refused ones too, with its time on the fake clock. */
  readonly tries: { readonly endpoint: string; readonly atMs: number }[] = [];
  /** For the tries to come, in order; afterwards all are let in. */
  readonly refusals: (SignalingError | undefined)[] = [];
  readonly down = new Set<string>();

  readonly connect = async (endpoint: string, options: Options): Promise<SignalingConnection> => {
    this.tries.push({ endpoint, atMs: performance.now() });
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw refusal;
    if (this.down.has(endpoint)) throw new SignalingError('unavailable', 'connection refused');
    const connection = new FakeSignaling(endpoint, options);
    this.connections.push(connection);
    return connection as unknown as SignalingConnection;
  };

  /** The newest connection. */
  get newest(): FakeSignaling {
    return this.number(this.connections.length);
  }

  number(count: number): FakeSignaling {
    const connection = this.connections[count - 1];
    if (connection === undefined) throw new Error(`there is no connection number ${count}`);
    return connection;
  }

  /** Lets time pass until that many connections were opened. */
  async opened(count: number): Promise<FakeSignaling> {
    await passUntil(() => this.connections.length >= count);
    return this.number(count);
  }
}

interface Sent {
  readonly name: string;
  readonly payload: Record<string, unknown>;
  answer(answer: Answer): void;
}

export class FakeSignaling {
  readonly endpoint: string;
  readonly options: Options;
  readonly requests: Sent[] = [];
  isClosed = false;

  constructor(endpoint: string, options: Options) {
    this.endpoint = endpoint;
    this.options = options;
  }

  send(name: string, payload: Record<string, unknown>, answer: (answer: Answer) => void): void {
    this.requests.push({ name, payload, answer });
  }

  close(): void {
    this.isClosed = true;
  }

  drop(): void {
    this.lose('forced close');
  }

  /** The ids of what was sent here, in order. */
  get ids(): unknown[] {
    return this.requests.flatMap(({ payload }) => (payload.id === undefined ? [] : [payload.id]));
  }

  sent(name: string): Sent[] {
    return this.requests.filter((request) => request.name === name);
  }

  /** The last request of that name. */
  last(name: string): Sent {
    const request = this.sent(name).at(-1);
    if (request === undefined)
      throw new Error(`no ${name} was sent, but ${this.requests.map((r) => r.name)}`);
    return request;
  }

  admit(id: string, seq: number, others: Peer[] = []): void {
    const resume = { resume_token: `token of ${id}`, resume_window_ms: 30_000 };
    this.last('join').answer({ ok: true, reply: { ...snapshot(id, seq, others), ...resume } });
  }

  resume(missed = 0): void {
    this.last('resume').answer({ ok: true, reply: { recovered: true, missed, last_id: 1 } });
  }

  /** Resumes without what was missed. */
  resumeAnew(id: string, seq: number, others: Peer[], epoch = 1): void {
    const reply = { recovered: false, last_id: 1, ...snapshot(id, seq, others, epoch) } as const;
    this.last('resume').answer({ ok: true, reply });
  }

  refuse(name: string, code: SignalingError['code'], retryAfterMs?: number): void {
    this.last(name).answer({ ok: false, error: new SignalingError(code, undefined, retryAfterMs) });
  }

  /** What a connection makes of a request that no node answers in time. */
  silence(name: string): void {
    this.last(name).answer({ ok: false, error: new SignalingError('unavailable'), isSilence: true });
  }

  hear<Name extends ServerEvent['name']>(name: Name, data: Events[Name]): void {
    if (!this.isClosed) this.options.onEvent({ name, data } as ServerEvent);
  }

  /** Says something as Ana. */
  say(seq: number, data: string): void {
    this.hear('message', { seq, from: 'ana' as PeerId, topic: 'x', data });
  }

  lose(reason = 'transport close'): void {
    if (!this.isClosed) this.options.onLost(reason);
    this.isClosed = true;
  }
}

export function peer(id: string, joinedSeq: number): Peer {
  return {
    id: id as PeerId,
    name: id,
    role: 'speaker',
    muted: [],
    connected: true,
    metadata: null,
    node: 'beijing-1',
    region: 'beijing',
    joined_seq: joinedSeq,
  };
}

export function snapshot(id: string, seq: number, peers: Peer[], epoch = 1) {
  const room = { name: 'blue', home: 'main', locked: false, peers_max: 100 };
  return { self: peer(id, seq), room, peers, seq, epoch, ice_servers: [] };
}

/** A session that Wei is in at seq 7, with Ana, and what it told. */
export async function joined(
  options: Partial<JoinOptions> & { endpoints?: string | string[] } = {},
): Promise<{
  cluster: FakeCluster;
  session: RoomSession;
  connection: FakeSignaling;
  states: SessionState[];
  heard: unknown[];
}> {
  const { endpoints = 'http://one', ...rest } = options;
  const cluster = new FakeCluster();
  const { connect } = cluster;
  const session = join(endpoints, { room: 'blue', name: 'Wei', connect, random: () => 0.5, ...rest });
  const connection = await cluster.opened(1);
  connection.admit('wei', 7, [peer('ana', 3)]);
  await session.joined;
  const states: SessionState[] = [];
  const heard: unknown[] = [];
  session.on('state', (state) => states.push(state));
  session.on('message', ({ data }) => heard.push(data));
  return { cluster, session, connection, states, heard };
}

/** Lets up to a minute of fake time pass. */
export async function passUntil(isSo: () => boolean): Promise<void> {
  for (let ms = 0; ms < 60_000 && !isSo(); ms++) await passMs(1);
  await passMs(0);
}

export async function passMs(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

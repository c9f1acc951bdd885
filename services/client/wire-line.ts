import type { Candidate, Description, RequestName } from '@fenghuo/protocol';
import type { Answer, ServerEvent } from './signaling-connection.ts';

/** What went over the wire, in one line for people: never a session description, never an address. */
export interface WireLine {
  readonly at: Date;
  /** `here`: it did not go over the wire, but happened to the connection. */
  readonly direction: 'in' | 'out' | 'here';
  /**
   * `offer`, `answer`, `candidate`, `end_of_candidates`, or the name of the event or request; here:
   * `connection_lost`, `not_connected`.
   */
  readonly what: string;
  /** Its place in the room's log. */
  readonly seq?: number;
  /** Of a message. */
  readonly topic?: string;
  /** The other peer that it concerns. */
  readonly peer?: string;
  /** For a request: how long its answer took. */
  readonly tookMs?: number;
  /**
   * Why a request was refused, or what became of it (`held`, `3 missed`); what a host ordered; the node that welcomes;
   * that a peer is `away`, without a node; why something ended.
   */
  readonly note?: string;
}

/** What happened to the connection itself. */
export function localLine(what: 'connection_lost' | 'not_connected', note: string): WireLine {
  return { at: new Date(), direction: 'here', what, note };
}

export function incomingLine({ name, data }: ServerEvent): WireLine {
  const { seq, from, peer, reason, node, topic } = data as {
    seq?: number;
    topic?: string;
    from?: string;
    peer?: string | { id: string; connected: boolean };
    reason?: string;
    node?: string;
  };
  const isAway = typeof peer === 'object' && !peer.connected;
  return {
    at: new Date(),
    direction: 'in',
    what: name === 'signal' ? signalKind(data) : name,
    ...optional('seq', seq),
    ...optional('topic', topic),
    ...optional('peer', from ?? (typeof peer === 'object' ? peer.id : peer)),
    ...optional('note', isAway ? 'away' : (reason ?? node)),
  };
}

export function outgoingLine(name: RequestName, body: object, answer: Answer, tookMs: number): WireLine {
  const reply = answer.ok ? (answer.reply as OutcomeOfAny) : {};
  return {
    at: new Date(),
    direction: 'out',
    what: name === 'signal' ? signalKind(body) : name,
    tookMs,
    ...optional('seq', reply.seq),
    ...optional('topic', (body as { topic?: string }).topic),
    ...optional('peer', (body as { to?: string }).to ?? (body as { peer?: string }).peer),
    ...optional(
      'note',
      answer.ok ? (outcome(reply) ?? (body as { action?: string }).action) : answer.error.code,
    ),
  };
}

interface OutcomeOfAny {
  readonly seq?: number;
  readonly delivery?: string;
  readonly recovered?: boolean;
  readonly missed?: number;
}

function outcome({ delivery, recovered, missed }: OutcomeOfAny): string | undefined {
  if (recovered !== undefined) return recovered ? `${missed} missed` : 'not recovered';
  return delivery === 'held' ? 'held' : undefined;
}

function signalKind(signal: {
  description?: Description | undefined;
  candidate?: Candidate | null | undefined;
}) {
  return signal.description?.type ?? (signal.candidate === null ? 'end_of_candidates' : 'candidate');
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined) {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: Value };
}

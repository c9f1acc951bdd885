import type { Candidate, Description, RequestName } from '@fenghuo/protocol';
import type { Answer, ServerEvent } from './signaling-connection.ts';

/** What went over the wire, in one line for people: never a session description, never an address. */
export interface WireLine {
  readonly at: Date;
  readonly direction: 'in' | 'out';
  /** `offer`, `answer`, `candidate`, `end_of_candidates`, or the name of the event or request. */
  readonly what: string;
  /** Its place in the room's log. */
  readonly seq?: number;
  /** The other peer that it concerns. */
  readonly peer?: string;
  /** For a request: how long its answer took. */
  readonly tookMs?: number;
  /** For a request: why it was refused; or that its target is to get it later (`held`). */
  readonly note?: string;
}

export function incomingLine({ name, data }: ServerEvent): WireLine {
  const { seq, from, peer } = data as { seq?: number; from?: string; peer?: string | { id: string } };
  return {
    at: new Date(),
    direction: 'in',
    what: name === 'signal' ? signalKind(data) : name,
    ...optional('seq', seq),
    ...optional('peer', from ?? (typeof peer === 'object' ? peer.id : peer)),
  };
}

export function outgoingLine(name: RequestName, body: object, answer: Answer, tookMs: number): WireLine {
  const reply = answer.ok ? (answer.reply as { seq?: number; delivery?: string }) : {};
  const note = answer.ok ? (reply.delivery === 'held' ? 'held' : undefined) : answer.error.code;
  return {
    at: new Date(),
    direction: 'out',
    what: name === 'signal' ? signalKind(body) : name,
    tookMs,
    ...optional('seq', reply.seq),
    ...optional('peer', (body as { to?: string }).to),
    ...optional('note', note),
  };
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

import { ERRORS, EVENTS, peer, REQUESTS, type RequestName, room } from '@fenghuo/protocol';
import { z } from 'zod';

import { type Frame, OPCODE } from './wire/frames.ts';

const iceServers = EVENTS.resync.shape.ice_servers;
const snapshot = {
  self: peer,
  room,
  peers: z.array(peer),
  seq: z.int().min(0),
  epoch: z.int().min(0),
  ice_servers: iceServers,
  ttl_s: z.int().min(0),
};
const lastId = { last_id: z.int().min(0) };
const ok = z.literal(true);

/** The ok reply of each request, as docs/protocol.md has it. */
const REPLIES: Readonly<Record<RequestName, z.ZodType>> = {
  join: z.strictObject({ ok, ...snapshot, resume_token: z.string(), resume_window_ms: z.int() }),
  resume: z.union([
    z.strictObject({ ok, recovered: z.literal(true), missed: z.int().min(0), ...lastId }),
    z.strictObject({ ok, recovered: z.literal(false), ...lastId, ...snapshot }),
  ]),
  leave: z.strictObject({ ok }),
  signal: z.strictObject({ ok, seq: z.int(), delivery: z.enum(['sent', 'held']) }),
  message: z.strictObject({ ok, seq: z.int().optional() }),
  update: z.strictObject({ ok, peer }),
  moderate: z.strictObject({ ok, seq: z.int() }),
};

const wireError = z.strictObject({
  code: z.enum(Object.keys(ERRORS) as [string, ...string[]]),
  message: z.string(),
  retry_after_ms: z.int().min(0).optional(),
});
const refusal = z.strictObject({ ok: z.literal(false), error: wireError });
const connectError = z.object({ message: z.string(), data: wireError.optional() });

const SHOWN_CHARS = 80;

/** Words of exceptions. An error text must not reveal them. */
const INSIDE =
  /Cannot read|of undefined|undefined is|is not a function|is not iterable|Unexpected token|\bat \S+:\d+|ECONN|ERR |WRONGTYPE|ReplyError|node_modules|user_script|Error:/;

/** A request whose reply is checked. */
export interface Asked {
  readonly name: string;
}

/** Reads all that a node sends on one connection, and names what the protocol rules out. */
export class ReplyReader {
  /** True from the answer to CONNECT on. */
  isConnected = false;
  readonly #asked = new Map<number, Asked[]>();
  readonly #learn: (reply: Record<string, unknown>, name: string) => void;
  readonly #event: (name: string, payload: Record<string, unknown>) => void;
  readonly #found: (what: string) => void;

  constructor(listener: {
    learn(reply: Record<string, unknown>, name: string): void;
    event(name: string, payload: Record<string, unknown>): void;
    found(what: string): void;
  }) {
    this.#learn = listener.learn;
    this.#event = listener.event;
    this.#found = listener.found;
  }

  /** Expects an answer from now on. */
  expect(packetId: number, asked: Asked): void {
    const before = this.#asked.get(packetId);
    if (before === undefined) this.#asked.set(packetId, [asked]);
    else before.push(asked);
  }

  /** The number of answers that have not come. */
  get missing(): number {
    return this.#asked.size;
  }

  get missingTexts(): string {
    return [...this.#asked].map(([id, [asked]]) => `${asked?.name} (packet ${id})`).join(', ');
  }

  read({ opcode, payload }: Frame): void {
    if (opcode === OPCODE.close || opcode === OPCODE.ping || opcode === OPCODE.pong) return;
    if (opcode !== OPCODE.text) return void this.#found(`the node sent a frame of opcode ${opcode}`);
    const text = payload.toString('utf8');
    if (!Buffer.from(text).equals(payload)) return void this.#found('the node sent text that is no UTF-8');
    if (!text.startsWith('4')) {
      if (!/^(0\{|1$|2$|6$|3)/.test(text)) this.#found(`the node sent the packet ${text.slice(0, 40)}`);
      return;
    }
    this.#readMessage(text);
  }

  #readMessage(text: string): void {
    const [, type, nsp, id, json] = /^4(\d)(\/[^,]*,)?(\d*)([\s\S]*)$/.exec(text) ?? [];
    const value = parsed(json ?? '');
    if (value === undefined && json !== '')
      return void this.#found(`the node sent what is no packet: ${text.slice(0, SHOWN_CHARS)}`);
    if (nsp !== undefined && type !== '4')
      return void this.#found(`the node spoke of another namespace: ${text.slice(0, 80)}`);
    if (type === '0') this.isConnected = true;
    else if (type === '1') this.isConnected = false;
    else if (type === '2') this.#readEvent(value);
    else if (type === '3') this.#readAnswer(Number(id), value);
    else if (type === '4') this.#check(connectError, value, 'a CONNECT_ERROR');
    else this.#found(`the node sent the packet ${text.slice(0, 40)}`);
  }

  #readEvent(value: unknown): void {
    const [name, payload, ...more] = Array.isArray(value) ? value : [];
    const schema = Object.hasOwn(EVENTS, String(name)) ? EVENTS[name as keyof typeof EVENTS] : undefined;
    if (schema === undefined || more.length > 0)
      return void this.#found(`the node sent the event ${String(name)}`);
    if (this.#check(schema.strict(), payload, `the event ${name}`)) this.#event(name, payload);
  }

  #readAnswer(id: number, value: unknown): void {
    const asked = this.#asked.get(id);
    const one = asked?.shift();
    if (asked?.length === 0) this.#asked.delete(id);
    const [reply, ...more] = Array.isArray(value) ? value : [undefined];
    if (more.length > 0) return void this.#found('an answer of several arguments');
    const isOk = (reply as { ok?: unknown } | undefined)?.ok === true;
    const name = one?.name ?? '';
    if (!isOk) {
      this.#check(refusal, reply, 'a refusal');
      return;
    }
    const known = Object.hasOwn(REQUESTS, name) ? REPLIES[name as RequestName] : z.object({ ok });
    if (this.#check(known, reply, `the answer to ${name}`)) this.#learn(reply, name);
  }

  #check(schema: z.ZodType, value: unknown, what: string): boolean {
    const checked = schema.safeParse(value);
    if (!checked.success) {
      const [issue] = checked.error.issues;
      this.#found(`${what} is not as documented: ${issue?.path.join('.')}: ${issue?.message}`);
      return false;
    }
    const message = errorTextOf(value);
    if (INSIDE.test(message)) this.#found(`${what} tells of the inside: ${message.slice(0, 120)}`);
    return true;
  }
}

function errorTextOf(value: unknown): string {
  const { message, error } = value as { message?: unknown; error?: { message?: unknown } };
  return String(error?.message ?? message ?? '');
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

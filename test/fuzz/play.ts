import { setTimeout as sleep } from 'node:timers/promises';
import { type Known, resolve } from './references.ts';
import { ReplyReader } from './replies.ts';
import type { Script, Step } from './steps.ts';
import type { Target } from './target.ts';
import { frameBytes, OPCODE } from './wire/frames.ts';
import { RawConnection } from './wire/raw-connection.ts';

/** The outcome of a script until now. */
export interface Played {
  /** How many of its steps were begun before the connection was over. */
  readonly steps: number;
  /** When the last of them was. */
  readonly lastMs: number;
  /** Packets and frames that were written while the connection stood. */
  readonly packets: number;
  readonly findings: readonly string[];
}

const OPENED_WITHIN_MS = 3_000;
const PIECE_PAUSE_MS = 20;
const LISTEN_MS = 500;
/** A node answers sooner, or says `unavailable`. */
const ANSWERED_WITHIN_MS = 8_000;
/** More of the same would only block the fuzzer itself. */
const REPEATED_BYTES_MAX = 1_048_576;
const PROBE = 'probe';
const PROBE_ID = 999_999_999;

/** Lives the life of one connection. `ended` never rejects; what the node did wrong is among the findings. */
export function play(
  script: Script,
  target: Target,
): { readonly played: Played; readonly ended: Promise<void> } {
  const player = new Player(script, target);
  return { played: player, ended: player.play() };
}

class Player implements Played {
  steps = 0;
  lastMs = performance.now();
  packets = 0;
  readonly findings: string[] = [];
  readonly #script: Script;
  readonly #target: Target;
  readonly #connection: RawConnection;
  readonly #replies: ReplyReader;
  readonly #known: KnownHere;
  /** False after a frame or packet that allows the node to ignore later requests. */
  #isOrderly = true;

  constructor(script: Script, target: Target) {
    this.#script = script;
    this.#target = target;
    const { port, host } = new URL(target.cluster.nodes[script.node]?.endpoint ?? '');
    this.#known = new KnownHere(target, host);
    this.#replies = new ReplyReader({
      learn: (reply, name) => this.#known.learn(reply, name),
      event: (_, payload) => this.#known.hear(payload),
      found: (what) => void this.findings.push(what),
    });
    this.#connection = new RawConnection(Number(port), script.address, {
      frame: (frame) => this.#replies.read(frame),
      broken: (what) => void this.findings.push(`the node broke RFC 6455: ${what}`),
    });
  }

  async play(): Promise<void> {
    await this.#open();
    for (const step of this.#script.steps) {
      if (this.#connection.isClosed) break;
      this.steps += 1;
      this.lastMs = performance.now();
      await this.#do(step);
    }
    await this.#settle();
    this.#connection.destroy();
  }

  async #open(): Promise<void> {
    const { head, pieces, isEager } = this.#script;
    const bytes = Buffer.from(resolve(head, this.#known), 'latin1');
    const size = Math.ceil(bytes.length / pieces);
    for (let at = 0; at < bytes.length && !this.#connection.isClosed; at += size) {
      this.#connection.write(bytes.subarray(at, at + size));
      if (pieces > 1) await sleep(PIECE_PAUSE_MS);
    }
    const isAnswered = () => this.#connection.status !== undefined;
    if (!isEager) await this.#connection.until(isAnswered, OPENED_WITHIN_MS);
  }

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case 'pause':
        return sleep(step.ms);
      case 'listen':
        return this.#listen();
      case 'deaf':
        this.#connection.pause();
        await sleep(step.ms);
        return this.#connection.resume();
      case 'redis':
        return this.#target.redis(step.command.map((word) => resolve(word, this.#known)));
      case 'end':
        return this.#connection.end();
      case 'reset':
        return this.#connection.reset();
      default:
        this.#connection.write(this.#bytesOf(step));
    }
  }

  #bytesOf(step: Step): Buffer {
    switch (step.do) {
      case 'burst':
        return Buffer.concat(step.steps.map((each) => this.#bytesOf(each)));
      case 'repeat':
        return this.#repeated(step.step, step.times);
      case 'packet':
        return this.#packetBytes(step.text);
      case 'frame':
        this.packets += 1;
        this.#isOrderly = false;
        return frameBytes(step.frame);
      case 'fragments':
        return this.#fragmentBytes(step);
      case 'raw':
        this.#isOrderly = false;
        return Buffer.from(step.bytes, 'latin1');
      default:
        return Buffer.alloc(0);
    }
  }

  #repeated(step: Step, times: number): Buffer {
    const all: Buffer[] = [];
    for (let n = 0, bytes = 0; n < times && bytes < REPEATED_BYTES_MAX; n++) {
      const each = this.#bytesOf(step);
      bytes += each.length;
      all.push(each);
    }
    return Buffer.concat(all);
  }

  #packetBytes(template: string): Buffer {
    this.packets += 1;
    const text = resolve(template, this.#known);
    this.#expect(text);
    return frameBytes({ opcode: OPCODE.text, payload: Buffer.from(text).toString('latin1') });
  }

  #fragmentBytes({ text, count, between, isWhole }: Step & { do: 'fragments' }): Buffer {
    this.#isOrderly = false;
    const bytes = Buffer.from(resolve(text, this.#known)).toString('latin1');
    const size = Math.ceil(bytes.length / count);
    const frames: Buffer[] = [];
    for (let at = 0; at < count; at++) {
      if (between?.at === at) frames.push(frameBytes(between.frame));
      const isLast = at === count - 1;
      if (isLast && !isWhole) break;
      const opcode = at === 0 ? OPCODE.text : OPCODE.continuation;
      frames.push(frameBytes({ opcode, payload: bytes.slice(at * size, (at + 1) * size), fin: isLast }));
    }
    this.packets += 1;
    return Buffer.concat(frames);
  }

  /** Expects an answer, where the protocol promises one. */
  #expect(text: string): void {
    const [, id = '', args = ''] = /^42(\d{1,15})(\[.*)$/s.exec(text) ?? [];
    const name = requestIn(args);
    if (name !== undefined) this.#known.sends(name);
    else this.#isOrderly = false;
    if (name !== undefined && id !== '' && this.#isOrderly && this.#replies.isConnected)
      this.#replies.expect(Number(id), { name });
  }

  #listen(): Promise<void> {
    const replies = this.#replies;
    const wasConnected = replies.isConnected;
    return this.#connection.until(
      () => (wasConnected || replies.isConnected) && replies.missing === 0,
      LISTEN_MS,
    );
  }

  /** Waits for the missing answers. A last request shows that the node still reads this connection. */
  async #settle(): Promise<void> {
    const { isClosed, isUpgraded } = this.#connection;
    if (isClosed || !isUpgraded || !this.#replies.isConnected) return;
    if (this.#script.steps.at(-1)?.do === 'end') return;
    const isPromised = this.#isOrderly;
    const withinMs = isPromised ? ANSWERED_WITHIN_MS : LISTEN_MS;
    this.#replies.expect(PROBE_ID, { name: PROBE });
    const text = `42${PROBE_ID}["${PROBE}",{}]`;
    this.#connection.write(frameBytes({ opcode: OPCODE.text, payload: text }));
    await this.#connection.until(() => this.#replies.missing === 0, withinMs);
    if (isPromised && !this.#connection.isClosed && this.#replies.missing > 0)
      this.findings.push(`no answer within ${withinMs} ms to ${this.#replies.missingTexts}`);
  }
}

/** The name of the event in a packet's arguments; undefined where they are no event that a node answers. */
function requestIn(args: string): string | undefined {
  try {
    const [name] = JSON.parse(args) as unknown[];
    return typeof name === 'string' && !RESERVED.has(name) ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Of socket.io: a packet of theirs closes the connection. */
const RESERVED: ReadonlySet<string> = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);

/** The values of references on one connection. */
class KnownHere implements Known {
  seq = 0;
  epoch = 0;
  #lastId = 0;
  #self: string | undefined;
  #resumeToken: string | undefined;
  readonly #target: Target;
  readonly #host: string;

  constructor(target: Target, host: string) {
    this.#target = target;
    this.#host = host;
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  text(name: string, argument: string): string | undefined {
    const { world, tokens } = this.#target;
    const [kind = '', number = '0'] = argument.split(':');
    if (name === 'self') return this.#self;
    if (name === 'host') return this.#host;
    if (name === 'peer') return world.peers.at(Number(kind));
    if (name === 'incarnation') return world.incarnations[Number(kind) % world.incarnations.length];
    if (name === 'jwt') return tokens.named(kind, Number(number));
    if (name !== 'resume') return undefined;
    return kind === 'own' ? this.#resumeToken : world.resumeTokens.at(Number(kind));
  }

  sends(request: string): void {
    if (request === 'join') this.#lastId = 1;
  }

  learn(reply: Record<string, unknown>, request: string): void {
    const { self, resume_token: token, seq, epoch, last_id: lastId } = reply;
    const { world } = this.#target;
    if (request !== 'join' && request !== 'resume') return;
    if (typeof seq === 'number') this.seq = seq;
    if (typeof epoch === 'number') this.epoch = epoch;
    if (typeof lastId === 'number') this.#lastId = lastId;
    if (isPeer(self)) {
      this.#self = self.id;
      world.peers.add(self.id);
    }
    if (typeof token === 'string') {
      this.#resumeToken = token;
      world.resumeTokens.add(token);
    }
  }

  hear({ seq }: Record<string, unknown>): void {
    if (typeof seq === 'number') this.seq = seq;
  }
}

function isPeer(value: unknown): value is { id: string } {
  return typeof value === 'object' && value !== null && typeof (value as { id?: unknown }).id === 'string';
}

import { setTimeout as sleep } from 'node:timers/promises';

import { Client } from '../wire/client.ts';
import { requestOf, stampIn } from './content.ts';
import type { Measures, Phases } from './measures.ts';

interface Person {
  readonly client: Client;
  readonly id: string;
  isCutOff: boolean;
  /** What was refused for now, by its number: it is sent again, in order, before anything new. */
  readonly refused: Map<number, Request>;
  isRepairing: boolean;
  /** Numbers go up without gaps, from the join's on. */
  lastId: number;
}

type Request = readonly [name: string, payload: object];

interface Sent {
  readonly atMs: number;
  readonly measures: Measures;
}

export interface PairsOptions {
  readonly ports: readonly number[];
  readonly phases: Phases;
  readonly auth: (sub: string) => string;
}

const PAIRS = 10;
const EVERY_MS = 100;
/** A client keeps at most 64 unanswered. */
const UNANSWERED_MAX = 60;
/** What has not come by then counts as refused, and as slow as this. */
const PATIENCE_MS = 10_000;
const AGAIN_MS = 200;
/** Not final: the outcome is unknown, or a later try may succeed. */
const TRANSIENT = ['unavailable', 'rate_limited', 'draining', 'no_answer'];

/** Ten pairs across two nodes, each person at an address of its own, who talk calmly all the time. */
export class Pairs {
  readonly #phases: Phases;
  readonly #people: Person[] = [];
  readonly #underway = new Map<string, Sent>();
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;
  #isStopped = false;

  private constructor(phases: Phases) {
    this.#phases = phases;
  }

  /** Throws where somebody cannot join. */
  static async join({ ports, phases, auth }: PairsOptions): Promise<Pairs> {
    const pairs = new Pairs(phases);
    for (let n = 0; n < 2 * PAIRS; n += 1) {
      const way = { port: ports[n % ports.length] ?? 0, from: `127.0.0.${2 + n}` };
      const client = await Client.open(way, auth(`honest-${n}`));
      const { ok, code, body } = await client.ask('join', { id: 1, room: `honest-${n >> 1}`, name: `p${n}` });
      if (!ok) throw new Error(`an honest person may not join: ${code}`);
      pairs.#add({
        client,
        id: body.self.id,
        isCutOff: false,
        refused: new Map(),
        isRepairing: false,
        lastId: 1,
      });
    }
    return pairs;
  }

  get people(): number {
    return this.#people.filter(({ isCutOff }) => !isCutOff).length;
  }

  talk(): void {
    const stepMs = EVERY_MS / this.#people.length;
    const startMs = performance.now();
    // By the clock, not by ticks: what the timer is late with is sent then.
    this.#timer = setInterval(() => {
      const due = Math.floor((performance.now() - startMs) / stepMs);
      while (this.#sent < due) this.#send(this.#sent++);
    }, stepMs);
  }

  /** Waits for what is under way; what does not come by then counts as refused. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#isStopped = true;
    const deadline = performance.now() + PATIENCE_MS;
    while (this.#underway.size > 0 && performance.now() < deadline && this.people > 0) await sleep(20);
    for (const { atMs, measures } of this.#underway.values()) {
      measures.relayMs.push(performance.now() - atMs);
      measures.refuse('not_delivered');
    }
    for (const { client } of this.#people) client.close();
  }

  #add(person: Person): void {
    this.#people.push(person);
    const { client } = person;
    client.onEvent = (_, event) => this.#heard(event);
    void client.socket.closed.then((by) => {
      person.isCutOff = true;
      if (by === 'node') this.#phases.now.refuse('cut_off');
    });
  }

  #send(turn: number): void {
    const index = turn % this.#people.length;
    const n = Math.floor(turn / this.#people.length);
    const person = this.#people[index] as Person;
    const other = this.#people[index ^ 1] as Person;
    // What becomes of those whose node has gone is counted once, when it goes.
    if (person.isCutOff || other.isCutOff) return;
    const measures = this.#phases.now;
    // Its refusal is counted; who waits for it sends nothing new.
    if (person.refused.size > 0) return;
    if (person.client.unanswered >= UNANSWERED_MAX) {
      measures.refuse('not_sent');
      return;
    }
    const [name, body] = requestOf(index, n, other.id);
    const id = ++person.lastId;
    const request: Request = [name, { id, ...body }];
    const key = `${index}-${n}`;
    this.#underway.set(key, { atMs: performance.now(), measures });
    void person.client.ask(...request, PATIENCE_MS).then(({ ok, code = 'nothing' }) => {
      if (ok) return;
      this.#underway.delete(key);
      if (code !== 'closed') measures.refuse(code);
      if (!TRANSIENT.includes(code)) return;
      person.refused.set(id, request);
      void this.#repair(person);
    });
  }

  /** Rule 3 of what a client does: the same numbers again, in ascending order, until they are taken. */
  async #repair(person: Person): Promise<void> {
    if (person.isRepairing) return;
    person.isRepairing = true;
    while (person.refused.size > 0 && !person.isCutOff && !this.#isStopped) {
      await sleep(AGAIN_MS);
      const [id] = [...person.refused.keys()].sort((a, b) => a - b);
      const request = id === undefined ? undefined : person.refused.get(id);
      if (id === undefined || request === undefined) break;
      const { ok, code = 'nothing' } = await person.client.ask(...request, PATIENCE_MS);
      if (ok || !TRANSIENT.includes(code)) person.refused.delete(id);
    }
    person.isRepairing = false;
  }

  #heard(event: unknown): void {
    const stamp = stampIn(event);
    if (stamp === undefined) return;
    const key = `${stamp.person}-${stamp.n}`;
    const sent = this.#underway.get(key);
    this.#underway.delete(key);
    sent?.measures.relayMs.push(performance.now() - sent.atMs);
  }
}

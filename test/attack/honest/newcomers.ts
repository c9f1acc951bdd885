import { Client, Refused } from '../wire/client.ts';
import type { Phases } from './measures.ts';
import type { PairsOptions } from './pairs.ts';

/** Newcomers under way at a time: more would be a flood of their own. */
const UNDERWAY_MAX = 200;

/** Every so often somebody comes from an address of its own, joins a room, and leaves again. */
export class Newcomers {
  readonly #options: PairsOptions;
  readonly #phases: Phases;
  readonly #underway = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  constructor(options: PairsOptions) {
    this.#options = options;
    this.#phases = options.phases;
  }

  come(everyMs: number): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      if (this.#underway.size >= UNDERWAY_MAX) return this.#phases.now.refuse('not_sent');
      const visit = this.#visit(this.#count++).finally(() => this.#underway.delete(visit));
      this.#underway.add(visit);
    }, everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underway);
  }

  async #visit(n: number): Promise<void> {
    const { ports, auth } = this.#options;
    const measures = this.#phases.now;
    const fromMs = performance.now();
    // 200 addresses in each of 200 networks: far more than one drill needs.
    const from = `127.${100 + (Math.floor(n / 200) % 100)}.0.${1 + (n % 200)}`;
    try {
      const client = await Client.open({ port: ports[n % ports.length] ?? 0, from }, auth(`newcomer-${n}`));
      const joined = await client.ask('join', { id: 1, room: `newcomers-${n % 5}` });
      if (joined.ok) measures.joinMs.push(performance.now() - fromMs);
      else measures.refuse(`join: ${joined.code}`);
      const left = joined.ok ? await client.ask('leave', { id: 2 }) : joined;
      if (joined.ok && !left.ok) measures.refuse(`leave: ${left.code}`);
      client.close();
    } catch (error) {
      measures.refuse(`handshake: ${error instanceof Refused ? error.code : error}`);
      measures.joinMs.push(performance.now() - fromMs);
    }
  }
}

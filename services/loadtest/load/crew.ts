import { StartFailure } from '@fenghuo/cluster';

import { type FromWorker, type Tick, type ToWorker, WORKER_PROTOCOL, type WorkerResult } from './messages.ts';
import type { Plan, Share } from './plan.ts';
import { type Link, listenForWorkers } from './worker-link.ts';
import { startWorkerProcess } from './worker-process.ts';

export type Hello = Extract<FromWorker, { type: 'hello' }>;

/** Where workers come from: processes of this machine, or whoever knows the secret. */
export type Recruiting =
  | { readonly kind: 'local'; readonly workers: number }
  | { readonly kind: 'listen'; readonly port: number; readonly expect: number; readonly secret: string };

const HELLO_MS = 20_000;
const RESULT_MS = 90_000;

/** One worker, as the coordinator sees it. */
class Member {
  readonly hello: Hello;
  tick: Tick | undefined;
  readonly ready = Promise.withResolvers<void>();
  readonly result = Promise.withResolvers<WorkerResult>();
  dropped = Promise.withResolvers<number>();
  readonly link: Link<ToWorker, FromWorker>;

  constructor(link: Link<ToWorker, FromWorker>, hello: Hello) {
    this.link = link;
    this.hello = hello;
    for (const { promise } of [this.ready, this.result, this.dropped]) promise.catch(() => {});
  }

  lost(why: string): void {
    const error = new Error(`${this.link.name}: ${why}`);
    for (const each of [this.ready, this.result, this.dropped]) each.reject(error);
  }
}

/** The workers of a run. They begin together, and what they count adds up. */
export class Crew {
  readonly #members: Member[];
  readonly #failures: string[] = [];
  onTick: (tick: Tick) => void = () => {};

  private constructor(members: Member[]) {
    this.#members = members;
    for (const member of members) {
      member.link.onMessage = (message) => this.#hear(member, message);
      member.link.onEnd = (why) => {
        this.#failures.push(`${member.link.name}: ${why}`);
        member.lost(why);
      };
    }
  }

  /** Resolves once all of them have said who they are. */
  static async recruit(how: Recruiting, signal: AbortSignal, say: (line: string) => void): Promise<Crew> {
    if (how.kind === 'local') {
      const links = Array.from({ length: how.workers }, (_, n) => startWorkerProcess(n + 1));
      return new Crew(await Promise.all(links.map(greeted)));
    }
    const members: Member[] = [];
    const all = Promise.withResolvers<void>();
    const listener = await listenForWorkers<ToWorker, FromWorker>(how.port, how.secret, (link) => {
      if (members.length >= how.expect) return link.close();
      greeted(link).then(
        (member) => {
          members.push(member);
          say(`${link.name} joined: ${members.length} of ${how.expect} workers`);
          if (members.length === how.expect) all.resolve();
        },
        (error: Error) => say(error.message),
      );
    });
    say(`waiting for ${how.expect} workers on port ${listener.port}…`);
    const calledOff = () => all.reject(new StartFailure('called off'));
    signal.addEventListener('abort', calledOff, { once: true });
    try {
      await all.promise;
    } finally {
      signal.removeEventListener('abort', calledOff);
      listener.close();
    }
    return new Crew(members);
  }

  get size(): number {
    return this.#members.length;
  }

  get hellos(): readonly Hello[] {
    return this.#members.map(({ hello }) => hello);
  }

  /** Workers that ended before they should. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** How they stand now. */
  get ticks(): readonly Tick[] {
    return this.#members.flatMap(({ tick }) => (tick === undefined ? [] : [tick]));
  }

  /** Gives each its part. Resolves once everybody is there. */
  async prepare(partFor: (hello: Hello, share: Share) => { plan: Plan; share: Share }): Promise<void> {
    for (const [index, { link, hello }] of this.#members.entries())
      link.send({ type: 'plan', ...partFor(hello, { index, of: this.#members.length }) });
    await Promise.all(this.#members.map(({ ready }) => ready.promise));
  }

  /** The barrier: all begin at the same time, as near as one message is to another. */
  go(inMs: number): void {
    for (const { link } of this.#members) link.send({ type: 'go', inMs });
  }

  /** Cuts off a share of everyone's clients. Resolves with how many that are. */
  async drop(share: number): Promise<number> {
    for (const member of this.#members) {
      member.dropped = Promise.withResolvers();
      member.link.send({ type: 'drop', share });
    }
    const counts = await Promise.all(this.#members.map(({ dropped }) => dropped.promise));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Has them come to rest. Resolves with the results of those who are still there. */
  async finish(): Promise<WorkerResult[]> {
    const results = await Promise.all(
      this.#members.map(({ link, result }) => {
        link.send({ type: 'finish' });
        const timer = setTimeout(
          () => result.reject(new Error(`${link.name}: no result within ${RESULT_MS / 1_000} s`)),
          RESULT_MS,
        );
        return result.promise
          .catch((error: Error) => {
            if (!this.#failures.includes(error.message)) this.#failures.push(error.message);
            return undefined;
          })
          .finally(() => clearTimeout(timer));
      }),
    );
    return results.filter((result) => result !== undefined);
  }

  end(): void {
    for (const { link } of this.#members) {
      link.send({ type: 'end' });
      link.close();
    }
  }

  #hear(member: Member, message: FromWorker): void {
    if (message.type === 'tick') {
      member.tick = message.tick;
      this.onTick(message.tick);
    } else if (message.type === 'ready') member.ready.resolve();
    else if (message.type === 'dropped') member.dropped.resolve(message.count);
    else if (message.type === 'result') member.result.resolve(message.result);
    else if (message.type === 'failed') member.lost(message.text);
  }
}

function greeted(link: Link<ToWorker, FromWorker>): Promise<Member> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string) => {
      clearTimeout(timer);
      link.close();
      reject(new StartFailure(`${link.name} is no worker for this run: ${why}`));
    };
    const timer = setTimeout(() => refuse('it said nothing'), HELLO_MS);
    link.onEnd = refuse;
    link.onMessage = (message) => {
      if (message.type !== 'hello') return refuse('it did not say hello');
      if (message.protocol !== WORKER_PROTOCOL) return refuse('it is of another version');
      clearTimeout(timer);
      resolve(new Member(link, message));
    };
  });
}

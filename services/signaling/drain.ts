import type { Order } from './backplane/leases.ts';
import { DRAIN_STEP_MS, timesToGo, toTellNow } from './domain/drain.ts';
import type { Connection } from './requests/context.ts';

export interface DrainOptions {
  /** How long clients have to go elsewhere. */
  readonly drainMs: number;
  readonly nowMs: () => number;
  /** In [0, 1). */
  readonly chance: () => number;
  /** Every open connection. */
  readonly connections: ReadonlySet<Connection>;
  /** Whether another node takes connections. */
  readonly hasElsewhere: () => boolean;
  readonly onTold: () => void;
  readonly onChange: (event: 'drain_began' | 'drain_undone' | 'drain_done', clients: number) => void;
}

/**
 * Sends a node's clients elsewhere: by an operator's order, which can be undone, or for good, because the process is
 * to end. They are told in a paced stream; whoever has a session resumes it on another node, where the fence takes
 * it from here. Who is left when the time is over is closed.
 */
export class Drain {
  readonly #options: DrainOptions;
  #isOrdered = false;
  #isFinal = false;
  #text: string | undefined;
  #sinceMs = 0;
  #isDone = false;
  #told = new WeakSet<Connection>();
  #timer: NodeJS.Timeout | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  get isDraining(): boolean {
    return this.#isOrdered || this.#isFinal;
  }

  /** What operators want now; none: they have not said. To be called again with each beat. */
  follow(order: Order | undefined): void {
    const wasDraining = this.isDraining;
    this.#isOrdered = order?.drain ?? false;
    this.#text = order?.text;
    if (this.isDraining === wasDraining) return;
    if (this.isDraining) this.#begin();
    else this.#undo();
  }

  /** Drains for good. Resolves once no client is left: after the drain's time at the latest. */
  async finish(): Promise<void> {
    const { connections } = this.#options;
    this.#isFinal = true;
    if (connections.size === 0) return this.close();
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      this.#begin();
    });
    this.close();
  }

  /** Still admits nobody, but tells and closes nobody any more, either: whoever calls this closes the rest. */
  close(): void {
    this.#isFinal = true;
    clearInterval(this.#timer);
    this.#onEmpty?.();
  }

  #begin(): void {
    const { connections, nowMs, onChange } = this.#options;
    clearInterval(this.#timer);
    this.#sinceMs = nowMs();
    this.#isDone = false;
    onChange('drain_began', connections.size);
    this.#timer = setInterval(() => this.#step(), DRAIN_STEP_MS);
  }

  #undo(): void {
    clearInterval(this.#timer);
    // Whoever was told and is still here may be told again.
    this.#told = new WeakSet();
    this.#options.onChange('drain_undone', this.#options.connections.size);
  }

  #step(): void {
    const { connections, drainMs, nowMs, hasElsewhere } = this.#options;
    const elapsedMs = nowMs() - this.#sinceMs;
    const isOver = elapsedMs >= drainMs || !hasElsewhere();
    const untold = [...connections].filter((each) => !this.#told.has(each));
    const now = isOver ? untold.length : toTellNow(untold.length, elapsedMs, drainMs);
    for (const each of untold.slice(0, now)) this.#tell(each, isOver ? 0 : drainMs - elapsedMs);
    if (isOver) for (const each of [...connections]) each.drop('drain');
    if (connections.size > 0 || this.#isDone) return;
    this.#isDone = true;
    this.#options.onChange('drain_done', 0);
    this.#onEmpty?.();
  }

  #tell(connection: Connection, leftMs: number): void {
    this.#told.add(connection);
    const { reconnectAfterMs, deadlineMs } = timesToGo(leftMs, this.#options.chance());
    connection.send('go_away', {
      reason: 'drain',
      ...(this.#text === undefined ? {} : { text: this.#text }),
      reconnect_after_ms: reconnectAfterMs,
      deadline_ms: deadlineMs,
    });
    this.#options.onTold();
  }
}

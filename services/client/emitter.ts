/**
 * Calls listeners in the order in which they came, at once. A listener that throws stops no other, and nothing that called
 * `emit`: its error is reported where uncaught errors are shown.
 */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /** Listens until the returned function is called. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  protected emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as (event: Events[Name]) => void)(event);
      } catch (fault) {
        report(fault);
      }
    }
  }
}

/** A bug of a listener's. It is shown, and ends nothing: in Node an error that is thrown again would end the process. */
function report(fault: unknown): void {
  const { reportError } = globalThis as { reportError?: (fault: unknown) => void };
  if (reportError === undefined) console.error('A listener failed:', fault);
  else reportError(fault);
}

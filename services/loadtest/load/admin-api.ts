import { setTimeout as sleep } from 'node:timers/promises';

import { StartFailure } from '@fenghuo/cluster';

export interface NodeState {
  readonly id: string;
  readonly region: string | null;
  readonly connections: number;
  readonly draining: boolean | null;
  readonly admitting: boolean;
}

const ANSWER_MS = 5_000;
const POLL_MS = 500;

/** Orders to the nodes, through one operators' port. */
export class AdminApi {
  readonly #base: string;
  readonly #token: string;

  /** `opsUrl`: any address of an operators' port. */
  constructor(opsUrl: string, token: string) {
    this.#base = `${new URL(opsUrl).origin}/admin/v1`;
    this.#token = token;
  }

  async nodes(): Promise<NodeState[]> {
    const { nodes } = (await this.#ask('GET', '/nodes')) as { nodes: NodeState[] };
    return nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  async drain(id: string): Promise<void> {
    await this.#ask('POST', `/nodes/${encodeURIComponent(id)}/drain`);
  }

  async undrain(id: string): Promise<void> {
    await this.#ask('DELETE', `/nodes/${encodeURIComponent(id)}/drain`);
  }

  /** False where the node is not so within the time, or it is called off. */
  async until(
    id: string,
    isSo: (node: NodeState) => boolean,
    withinMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const untilMs = performance.now() + withinMs;
    while (performance.now() < untilMs && !signal.aborted) {
      const node = (await this.nodes()).find((each) => each.id === id);
      if (node !== undefined && isSo(node)) return true;
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    }
    return false;
  }

  async #ask(method: string, path: string): Promise<unknown> {
    let response: Response;
    try {
      response = await fetch(`${this.#base}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#token}` },
        signal: AbortSignal.timeout(ANSWER_MS),
      });
    } catch (error) {
      throw new StartFailure(`${this.#base}${path} does not answer: ${(error as Error).message}`);
    }
    if (response.ok) return response.json();
    const cure = response.status === 401 ? '; give the nodes’ ADMIN_TOKEN by --admin-token-file' : '';
    throw new StartFailure(`${method} ${this.#base}${path} is refused: ${response.status}${cure}.`);
  }
}

import { setTimeout as sleep } from 'node:timers/promises';

import type { WitnessedNode } from './witnessed.ts';

/** One look at a node's own figures. */
export interface Vitals {
  readonly connections: number;
  readonly openFiles: number;
  readonly rssMb: number;
  readonly heapMb: number;
  readonly isReady: boolean;
}

export interface NodeWatch {
  readonly id: string;
  readonly findings: readonly string[];
  /** Of each second; the first is before the fuzzer's first connection. */
  readonly history: readonly Vitals[];
  stop(): void;
}

const EVERY_MS = 1_000;
const ANSWERS_WITHIN_MS = 4_000;
const MB = 1_048_576;

/** Asks a node every second whether it lives, is ready, and how much it holds. */
export async function watchNode(node: WitnessedNode): Promise<NodeWatch> {
  const findings: string[] = [];
  const history = [await vitalsOf(node)];
  let isStopped = false;
  const look = async () => {
    try {
      history.push(await vitalsOf(node));
      if (!(history.at(-1) as Vitals).isReady) note(findings, `${node.id}: /readyz does not say 200`);
    } catch (error) {
      if (!isStopped) note(findings, `${node.id}: ${(error as Error).message}`);
    }
  };
  void (async () => {
    while (!isStopped) {
      await sleep(EVERY_MS, undefined, { ref: false });
      if (!isStopped) await look();
    }
  })();
  return {
    id: node.id,
    findings,
    history,
    stop: () => {
      isStopped = true;
    },
  };
}

export async function vitalsOf({ opsUrl }: WitnessedNode): Promise<Vitals> {
  await ask(`${opsUrl}/livez`, [200]);
  const ready = await ask(`${opsUrl}/readyz`, [200, 503]);
  const metrics = await (await ask(`${opsUrl}/metrics`, [200])).text();
  const gauge = (name: string) => Number(RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(metrics)?.[1]);
  return {
    connections: gauge('signaling_connections'),
    openFiles: gauge('signaling_process_open_files'),
    rssMb: Math.round(gauge('signaling_process_resident_memory_bytes') / MB),
    heapMb: Math.round(gauge('signaling_process_heap_used_bytes') / MB),
    isReady: ready.status === 200,
  };
}

async function ask(url: string, expected: readonly number[]): Promise<Response> {
  const path = new URL(url).pathname;
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) }).catch(
    (error: Error) => {
      throw new Error(`${path} did not answer: ${error.message}`);
    },
  );
  if (!expected.includes(response.status)) throw new Error(`${path} answered ${response.status}`);
  return response;
}

function note(findings: string[], what: string): void {
  if (!findings.includes(what)) findings.push(what);
}

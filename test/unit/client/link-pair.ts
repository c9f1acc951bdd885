import { vi } from 'vitest';

import {
  type ErrorCode,
  type LinkFault,
  type MediaKind,
  type OutgoingSignal,
  PeerLink,
  SignalingError,
} from '../../../services/client/index.ts';
import { asConnection, FakeConnection, fakeTrack } from './fake-connection.ts';

export type Side = 'polite' | 'impolite';

export interface PairOptions {
  readonly politeTracks?: readonly MediaKind[];
  readonly impoliteTracks?: readonly MediaKind[];
  readonly offerPatienceMs?: number;
  /** What each side knows of its own mutes at the beginning. */
  readonly forbidden?: { readonly [Each in Side]?: readonly MediaKind[] };
  /** What else the node refuses. */
  refuses?(from: Side, signal: OutgoingSignal): ErrorCode | undefined;
  /** Whether one's signals reach the other side. */
  isReachable?(from: Side): boolean;
  /** Whether a connection that is made now would find a path. */
  hasPath?(): boolean;
  /** Before a connection is made. */
  beforeConnection?(side: Side): void;
}

/**
 * Two links, and a node between them that holds what is sent until `settle`, and refuses a description that would send
 * what its author is muted in. What it knows of mutes the links may not know yet.
 */
export function pair(options: PairOptions = {}) {
  const wires: Record<Side, OutgoingSignal[]> = { polite: [], impolite: [] };
  const muted: Record<Side, Set<string>> = {
    polite: new Set(options.forbidden?.polite),
    impolite: new Set(options.forbidden?.impolite),
  };
  const refused: Side[] = [];
  let verdicts: Promise<void> | undefined;
  const faults: LinkFault[] = [];
  function side(name: Side, kinds: readonly MediaKind[]) {
    const connections: FakeConnection[] = [];
    const tracks = kinds.map((kind) => fakeTrack(kind));
    const stream = { id: `of ${name}` } as MediaStream;
    const link = new PeerLink({
      isPolite: name === 'polite',
      tracks: tracks.map((track) => [track, stream] as const),
      forbidden: new Set(options.forbidden?.[name]),
      offerPatienceMs: options.offerPatienceMs ?? 60_000,
      isReachable: () => options.isReachable?.(name) ?? true,
      createConnection: () => {
        options.beforeConnection?.(name);
        const connection = new FakeConnection(name);
        connection.hasPath = options.hasPath?.() ?? true;
        connections.push(connection);
        return asConnection(connection);
      },
      send: async (signal) => {
        if (kindsSent(signal).some((kind) => muted[name].has(kind))) {
          refused.push(name);
          await verdicts;
          throw new SignalingError('media_forbidden');
        }
        const code = options.refuses?.(name, signal);
        if (code !== undefined) throw new SignalingError(code);
        wires[name].push(signal);
      },
      onFault: (fault) => faults.push(fault),
    });
    return {
      link,
      connections,
      tracks,
      /** The newest. */
      get connection(): FakeConnection {
        const connection = connections.at(-1);
        if (connection === undefined) throw new Error('no connection was made');
        return connection;
      },
      /** What the application is given of the other side's, by kind. */
      get heard(): string[] {
        return link.streams.flatMap((each) => each.getTracks().map(({ kind }) => kind)).sort();
      },
    };
  }
  const polite = side('polite', options.politeTracks ?? ['video']);
  const impolite = side('impolite', options.impoliteTracks ?? ['video']);
  /** The node's refusals take their time from now on, until the returned function is called. */
  function holdRefusals(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    verdicts = promise;
    return resolve;
  }
  /** Brings the oldest signal of one side to the other; false where there is none. */
  function deliver(from: Side): boolean {
    const signal = wires[from].shift();
    if (signal === undefined) return false;
    (from === 'polite' ? impolite : polite).link.receive(signal);
    return true;
  }
  /** Brings everything to the other side, and answers to it, until nothing is under way. */
  async function settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      await new Promise((resolve) => setTimeout(resolve));
      const count = wires.polite.length + wires.impolite.length;
      for (const signal of wires.polite.splice(0)) impolite.link.receive(signal);
      for (const signal of wires.impolite.splice(0)) polite.link.receive(signal);
      quiet = count === 0 ? quiet + 1 : 0;
    }
  }
  /** On the fake clock: brings signals as they come. */
  async function run(ms: number, isReaching = true): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      while (isReaching && (deliver('polite') || deliver('impolite')));
      await vi.advanceTimersByTimeAsync(STEP_MS);
    }
  }
  return { run, polite, impolite, wires, muted, refused, faults, holdRefusals, deliver, settle };
}

const STEP_MS = 20;

export function descriptions(signals: readonly OutgoingSignal[]): string[] {
  return signals.flatMap((signal) => ('description' in signal ? [signal.description.type] : []));
}

function kindsSent(signal: OutgoingSignal): string[] {
  if (!('description' in signal) || signal.description.type === 'rollback') return [];
  return [...signal.description.sdp.matchAll(/^m=(\w+) send/gm)].map(([, kind = '']) => kind);
}

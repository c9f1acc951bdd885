import type { LinkFault, PeerLink } from '../../services/client/index.ts';
import type { Sdk } from './sdk-page.ts';

/** What a run of two links in one page came to. */
export interface PairResult {
  readonly phases: readonly string[];
  readonly signaling: readonly (string | undefined)[];
  /** Tracks that each is given. */
  readonly heard: readonly number[];
  readonly faults: readonly string[];
  readonly offerBytes: readonly number[];
}

/**
 * Runs in the page: defines `window.openPair`, two links and the way between them, in order, each signal late by up to
 * `delayMs`. Tracks are drawn on canvases that nobody sees.
 */
export function definePairs(): void {
  const { PeerLink } = (window as unknown as { sdk: Sdk }).sdk;
  const open = (options: { delayMs: number; offerPatienceMs: number }) => {
    const sides: { link: PeerLink; connection: RTCPeerConnection | undefined; offers: number[] }[] = [];
    const faults: LinkFault[] = [];
    const stalledUntilMs = [0, 0];
    const ways = [Promise.resolve(), Promise.resolve()];
    const drawn = () => {
      const canvas = document.createElement('canvas');
      canvas.getContext('2d');
      const stream = canvas.captureStream(1);
      return { track: stream.getVideoTracks()[0] as MediaStreamTrack, stream };
    };
    const send = (from: number, signal: Parameters<PeerLink['receive']>[0]) => {
      if (signal.description?.type === 'offer') sides[from]?.offers.push(signal.description.sdp.length);
      ways[from] = (ways[from] as Promise<void>).then(async () => {
        const stallMs = Math.max(0, (stalledUntilMs[from] ?? 0) - performance.now());
        await new Promise((resolve) => setTimeout(resolve, stallMs + Math.random() * options.delayMs));
        sides[1 - from]?.link.receive(JSON.parse(JSON.stringify(signal)));
      });
      return Promise.resolve();
    };
    for (const at of [0, 1]) {
      const { track, stream } = drawn();
      const side = { connection: undefined as RTCPeerConnection | undefined, offers: [] as number[] };
      const link = new PeerLink({
        isPolite: at === 1,
        tracks: [[track, stream]],
        offerPatienceMs: options.offerPatienceMs,
        createConnection: () => {
          side.connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
          return side.connection;
        },
        send: (signal) => send(at, signal),
        onFault: (fault) => faults.push(fault),
      });
      sides.push(Object.assign(side, { link }));
    }
    const result = () => ({
      phases: sides.map(({ link }) => link.state.phase),
      signaling: sides.map(({ connection }) => connection?.signalingState),
      heard: sides.map(({ link }) => link.streams.flatMap((stream) => stream.getTracks()).length),
      faults: faults.map(({ step, error }) => `${step}: ${error}`),
      offerBytes: sides[0]?.offers ?? [],
    });
    const isSettled = () => {
      const { phases, signaling } = result();
      return phases.every((each) => each === 'connected') && signaling.every((each) => each === 'stable');
    };
    const settle = async (timeoutMs: number) => {
      const endsAt = performance.now() + timeoutMs;
      for (let calm = 0; calm < 3 && performance.now() < endsAt; calm = isSettled() ? calm + 1 : 0)
        await new Promise((resolve) => setTimeout(resolve, 60));
      return isSettled();
    };
    const close = () => {
      for (const { link } of sides) link.close();
    };
    const stall = (at: number, ms: number) => {
      stalledUntilMs[at] = performance.now() + ms;
    };
    return { links: sides.map(({ link }) => link), drawn, result, settle, close, stall };
  };
  Object.assign(window, { openPair: open });
}

/** As the page has it. */
export interface PagePair {
  readonly links: [PeerLink, PeerLink];
  drawn(): { track: MediaStreamTrack; stream: MediaStream };
  result(): PairResult;
  /** Whether both are connected, and at rest, in time. */
  settle(timeoutMs: number): Promise<boolean>;
  close(): void;
  /** What one side sends waits for so long. */
  stall(at: number, ms: number): void;
}

export type OpenPair = (options: { delayMs: number; offerPatienceMs: number }) => PagePair;

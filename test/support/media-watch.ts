import type { Person } from './browser.ts';

/** Runs in a page before its own code: keeps every RTCPeerConnection that is made there, for the functions below. */
export function keepConnections(): void {
  const made: RTCPeerConnection[] = [];
  const { RTCPeerConnection: Browsers } = window;
  window.RTCPeerConnection = class extends Browsers {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      made.push(this);
    }
  };
  Object.assign(window, { connections: made });
}

/** For the page of somebody who takes no notice of being muted: what stops the sending does nothing. */
export function sendOnThoughMuted(): void {
  RTCPeerConnection.prototype.removeTrack = () => {};
  RTCRtpSender.prototype.replaceTrack = async () => {};
  const direction = Object.getOwnPropertyDescriptor(RTCRtpTransceiver.prototype, 'direction');
  Object.defineProperty(RTCRtpTransceiver.prototype, 'direction', { ...direction, set() {} });
}

/** What is sent to the node, or comes from it, can be held by `holdFrames`. */
export function letFramesBeHeld(): void {
  const { WebSocket: Sockets } = window;
  const held: Held = { out: undefined, in: undefined };
  Object.assign(window, { held });
  window.WebSocket = class extends Sockets {
    override send(data: string) {
      if (held.out === undefined) super.send(data);
      else held.out.push({ text: data, go: () => super.send(data) });
    }
    override set onmessage(hear: (event: MessageEvent) => void) {
      super.onmessage = (event) => {
        if (held.in === undefined) hear(event);
        else held.in.push({ text: String(event.data), go: () => hear(event) });
      };
    }
  };
}

type Held = Record<'out' | 'in', { readonly text: string; go(): void }[] | undefined>;

export async function holdFrames(person: Person, direction: 'out' | 'in'): Promise<void> {
  await person.page.evaluate((which) => {
    (window as unknown as { held: Held }).held[which] = [];
  }, direction);
}

/** How many of the held frames contain a text. */
export function heldFrames(person: Person, direction: 'out' | 'in', text: string): Promise<number> {
  return person.page.evaluate(
    ([which, part]) => {
      const frames = (window as unknown as { held: Held }).held[which] ?? [];
      return frames.filter((frame) => frame.text.includes(part)).length;
    },
    [direction, text] as const,
  );
}

/** Lets go of them, in their order. */
export async function releaseFrames(person: Person, direction: 'out' | 'in'): Promise<void> {
  await person.page.evaluate((which) => {
    const { held } = window as unknown as { held: Held };
    const frames = held[which] ?? [];
    held[which] = undefined;
    for (const { go } of frames) go();
  }, direction);
}

export type Way = 'outbound-rtp' | 'inbound-rtp';
type Kind = 'audio' | 'video';

/** How many packets of a kind a page has sent or received, over all of its connections. */
export function packets(person: Person, way: Way, kind: Kind): Promise<number> {
  return person.page.evaluate(countPackets, { way, kind });
}

async function countPackets({ way, kind }: { way: Way; kind: Kind }): Promise<number> {
  const { connections } = window as unknown as { connections: RTCPeerConnection[] };
  let count = 0;
  for (const connection of connections.filter(({ connectionState }) => connectionState !== 'closed')) {
    for (const stat of ((await connection.getStats()) as unknown as Map<string, RTCStats>).values()) {
      const {
        type,
        kind: of,
        packetsSent,
        packetsReceived,
      } = stat as RTCStats & Record<string, number | string>;
      if (type === way && of === kind) count += Number(packetsSent ?? packetsReceived ?? 0);
    }
  }
  return count;
}

export interface PacketWatch {
  /** When the count rose for the last time, in milliseconds of the machine's clock. */
  lastRiseAt(): Promise<number>;
}

/** Notes from now on when packets of a kind are sent or received in a page, every 40 ms. */
export async function watchPackets(person: Person, way: Way, kind: Kind): Promise<PacketWatch> {
  const watch = await person.page.evaluateHandle(
    ([count, what]) => {
      // biome-ignore lint/security/noGlobalEval: the page needs the function itself.
      const countPackets = eval(`(${count})`) as (what: object) => Promise<number>;
      const notes = { last: 0, at: 0 };
      setInterval(async () => {
        const now = await countPackets(what as object);
        if (now > notes.last) notes.at = Date.now();
        notes.last = Math.max(now, notes.last);
      }, 40);
      return notes;
    },
    [countPackets.toString(), { way, kind }] as const,
  );
  return { lastRiseAt: () => watch.evaluate(({ at }) => at) };
}

/**
 * How loud it is, 0 to 1, the loudest of a second: `given`, in what a page plays of the others, and `received`, in what
 * its connections decode, whether it is played or not.
 */
export function loudness(person: Person): Promise<{ given: number; received: number }> {
  return person.page.evaluate(async () => {
    const { connections } = window as unknown as { connections: RTCPeerConnection[] };
    const context = new AudioContext();
    await context.resume();
    const listen = (tracks: MediaStreamTrack[]) => {
      const analyser = context.createAnalyser();
      for (const track of tracks) context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      return analyser;
    };
    const videos = [...document.querySelectorAll<HTMLVideoElement>('[data-testid=tile] video')];
    const played = videos.flatMap(
      ({ srcObject }) => (srcObject as MediaStream | null)?.getAudioTracks() ?? [],
    );
    const decoded = connections
      .filter(({ connectionState }) => connectionState !== 'closed')
      .flatMap((connection) => connection.getReceivers().map(({ track }) => track))
      .filter(({ kind }) => kind === 'audio');
    const analysers = { given: listen(played), received: listen(decoded) };
    const loudest = { given: 0, received: 0 };
    const endAt = performance.now() + 1_000;
    const samples = new Float32Array(analysers.given.fftSize);
    while (performance.now() < endAt) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (const which of ['given', 'received'] as const) {
        analysers[which].getFloatTimeDomainData(samples);
        loudest[which] = Math.max(loudest[which], ...samples.map(Math.abs));
      }
    }
    await context.close();
    return loudest;
  });
}

/** What a connection to one peer is doing, from its own statistics (W3C webrtc-stats). */
export interface LinkStats {
  /** All pictures decoded from this peer so far, of all its video tracks. */
  readonly framesDecoded: number;
  /** Rises while this peer can be heard. */
  readonly audioEnergy: number;
  /** 0 to 1, now. */
  readonly audioLevel: number;
  /** The pair of addresses that media takes, once there is one. */
  readonly pair?: {
    readonly local: string;
    readonly remote: string;
    readonly protocol: string;
    readonly roundTripMs?: number;
  };
}

export function readLinkStats(report: RTCStatsReport): LinkStats {
  const all = [...(report as unknown as Map<string, Stat>).values()];
  const sum = (member: string) =>
    all.reduce((total, stat) => total + (stat.type === 'inbound-rtp' ? number(stat[member]) : 0), 0);
  const totals = {
    framesDecoded: sum('framesDecoded'),
    audioEnergy: sum('totalAudioEnergy'),
    audioLevel: sum('audioLevel'),
  };
  const pair = selectedPair(all);
  if (pair === undefined) return totals;
  const find = (id: unknown) => all.find((stat) => stat.id === id);
  const local = find(pair.localCandidateId);
  const rtt = pair.currentRoundTripTime;
  return {
    ...totals,
    pair: {
      local: text(local?.candidateType),
      remote: text(find(pair.remoteCandidateId)?.candidateType),
      protocol: text(local?.protocol),
      ...(typeof rtt === 'number' ? { roundTripMs: rtt * 1_000 } : {}),
    },
  };
}

/** By the transport where it names one, else (Firefox) the nominated pair that works. */
function selectedPair(all: readonly Stat[]): Stat | undefined {
  const id = all.find((stat) => stat.type === 'transport')?.selectedCandidatePairId;
  const pairs = all.filter((stat) => stat.type === 'candidate-pair');
  return (
    pairs.find((pair) => pair.id === id) ?? pairs.find((pair) => pair.nominated && pair.state === 'succeeded')
  );
}

type Stat = Record<string, unknown>;

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '?';
}

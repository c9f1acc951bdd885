import { z } from 'zod';

/** The version of this schema. A change that a reader of older results could misread is a new version. */
export const RESULT_SCHEMA = 'fenghuo-load/1';

/**
 * What is timed, each in a histogram of its own:
 * `relay` from the intended time of sending a signal until the receiver's handler (`relay_local`: both on one node;
 * `relay_node`: on two nodes of one region; `relay_region`: in two regions) · `ack` from the intended time of a
 * request until its answer · `connect` until `welcome` · `join` until its answer · `resume` from the loss of the
 * connection until the session goes on · `call_setup` from the intended start of a call until both sides are connected.
 */
export const LATENCY_NAMES = [
  'relay',
  'relay_local',
  'relay_node',
  'relay_region',
  'ack',
  'connect',
  'join',
  'resume',
  'call_setup',
] as const;
export type LatencyName = (typeof LATENCY_NAMES)[number];

export const VERDICTS = ['pass', 'slo_failed', 'invalid', 'unreachable'] as const;
export type VerdictName = (typeof VERDICTS)[number];

const count = z.int().min(0);
const countByCode = z.record(z.string(), count);
/** Seconds since the run began. */
const at = z.number();
const ms = z.number().min(0);

const latency = z.object({
  count,
  minMs: ms,
  meanMs: ms,
  p50Ms: ms,
  p90Ms: ms,
  p95Ms: ms,
  p99Ms: ms,
  p999Ms: ms,
  maxMs: ms,
  /** The whole histogram as hdr-histogram-js encodes it (V2, compressed, base64); its values are microseconds. */
  hdr: z.string(),
});
export type Latency = z.infer<typeof latency>;

const point = z.object({
  atS: at,
  /** Connections that were open, and that should have been, at this time. */
  connected: count,
  target: count,
  /** Signals within the interval that ends here; so are the latencies. */
  sent: count,
  delivered: count,
  lost: count.optional(),
  relayP50Ms: ms.optional(),
  relayP99Ms: ms.optional(),
  relayMaxMs: ms.optional(),
  /** Of the generator's event loops, the slowest worker's. */
  loopP99Ms: ms,
  /** Resident memory of the generator. */
  memoryMB: z.number().min(0).optional(),
});
export type TimelinePoint = z.infer<typeof point>;

/** What a run of the load tester was, counted and concluded: `result.json`. */
export const resultSchema = z.object({
  schema: z.literal(RESULT_SCHEMA),
  scenario: z.string().min(1),
  seed: z.int().min(0),
  /** ISO 8601, in UTC. */
  startedAt: z.iso.datetime(),
  durationS: z.number().min(0),
  /** The command line, by option name without its dashes; never a token. */
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  targets: z.array(z.object({ url: z.string(), region: z.string().optional(), node: z.string().optional() })),
  /** The load tester itself: where it lags, the figures are its own and not the target's. */
  generator: z.object({
    hosts: z.int().min(1),
    workers: z.int().min(1),
    cpus: z.int().min(1),
    /** The version of Node. */
    node: z.string(),
    loopDelayP99Ms: ms,
    /** Things that were to be started at a time, and those of them that were late. */
    started: count,
    lateStarts: count,
    isValid: z.boolean(),
    /** Why it is not. */
    reasons: z.array(z.string()),
  }),
  connections: z.object({
    target: count,
    opened: count,
    failed: count,
    /** The most that were open at once. */
    peak: count,
    /** Closed by the other side, or the network. */
    cutOff: count,
    refused: countByCode,
  }),
  sessions: z.object({
    joined: count,
    resumed: count,
    /** Of those resumed: `recovered: true`, and `recovered: false` with a snapshot. */
    recovered: count,
    snapshots: count,
    resyncs: count,
    /** Sessions that ended though their clients came back. */
    over: count,
    wrongPeerLeft: count,
  }),
  /** Counted by the number in each signal. */
  signals: z.object({
    /** What rate and time asked for. */
    planned: count,
    sent: count,
    accepted: count,
    refused: countByCode,
    /** Not answered until the end: they may have arrived or not. */
    unknown: count,
    /** What receivers should have got. */
    expected: count,
    delivered: count,
    /** Expected and neither delivered nor named. */
    lost: count,
    doubled: count,
    reordered: count,
    /** Delivered to somebody else than was meant. */
    misrouted: count,
    /** Missing, and the receiver was told so (`resync`, `recovered: false`). */
    named: count,
  }),
  calls: z.object({ started: count, connected: count, failed: count, hungUp: count }).optional(),
  /** What came of attacks, by their names: how often each was answered as it must be, and the first few times that not. */
  attacks: z.record(z.string(), z.object({ right: count, wrong: z.array(z.string()) })).optional(),
  latencies: z.partialRecord(z.enum(LATENCY_NAMES), latency),
  timeline: z.object({ everyS: z.number().positive(), points: z.array(point) }),
  /** Parts of the run that the plots mark: `ramp`, `steady`, `storm`, `drain beijing-1`, `link cut`. Without `toS`: a moment. */
  phases: z.array(z.object({ name: z.string(), fromS: at, toS: at.optional() })),
  /** How those who were cut off at `atS` came back; `share` (0 to 1) of them `s` seconds later. */
  recovery: z
    .object({
      atS: at,
      sessions: count,
      points: z.array(z.object({ s: z.number().min(0), share: z.number().min(0).max(1) })),
      to99S: z.number().min(0).optional(),
    })
    .optional(),
  /** Relay latency from each node to each. */
  heatmap: z
    .object({
      nodes: z.array(z.string()),
      cells: z.array(z.object({ from: z.string(), to: z.string(), count, p50Ms: ms, p99Ms: ms })),
    })
    .optional(),
  memory: z
    .object({
      connections: count,
      /** Over all nodes. */
      nodeRssBytesBefore: count,
      nodeRssBytesAfter: count,
      bytesPerConnection: z.number(),
    })
    .optional(),
  /** What grows or shrinks over a long run. */
  slopes: z
    .array(z.object({ what: z.string(), unit: z.string(), perHour: z.number(), isGrowing: z.boolean() }))
    .optional(),
  /** Read from the nodes' `/metrics`. */
  server: z
    .array(
      z.object({
        node: z.string(),
        metric: z.string(),
        points: z.array(z.object({ atS: at, value: z.number() })),
      }),
    )
    .optional(),
  /** `value` in milliseconds, bytes, a share of 1 or a count; null where the run did not measure it. */
  slos: z.array(z.object({ text: z.string(), value: z.number().nullable(), isMet: z.boolean() })),
  verdict: z.enum(VERDICTS),
  /** Why it is not a pass. */
  reasons: z.array(z.string()),
});

export type Result = z.infer<typeof resultSchema>;
/** The latencies that have values, in the order of LATENCY_NAMES. */
export function measuredLatencies({ latencies }: Pick<Result, 'latencies'>): [LatencyName, Latency][] {
  return LATENCY_NAMES.flatMap((name) => {
    const latency = latencies[name];
    return latency !== undefined && latency.count > 0 ? [[name, latency] as [LatencyName, Latency]] : [];
  });
}

/** A result that nobody has judged yet. */
export type Unjudged = Omit<Result, 'slos' | 'verdict' | 'reasons'>;

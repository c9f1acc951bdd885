import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';

import {
  judge,
  type Latency,
  parseSlo,
  type Result,
  type Unjudged,
} from '../../../../services/loadtest/load/report/index.ts';
import { seededRandom } from '../../../../services/loadtest/random.ts';

const DURATION_S = 60;
const STORM_AT_S = 30;
const NODES = ['beijing-1', 'beijing-2', 'shanghai-1', 'shanghai-2'];

/** A run as the engine would tell of it: two regions, a storm in the middle, everything measured. `slowness` stretches its latencies. */
export function sampleRun({ slowness = 1, seed = 7 } = {}): Unjudged {
  const random = seededRandom(seed);
  const latencies = {
    relay: latencyOf(12_000, () => slowness * (random() < 0.5 ? near(random) : 15.2 + near(random))),
    relay_local: latencyOf(3_000, () => slowness * near(random)),
    relay_node: latencyOf(3_000, () => slowness * (0.3 + near(random))),
    relay_region: latencyOf(6_000, () => slowness * (15.2 + near(random))),
    connect: latencyOf(400, () => slowness * 4 * near(random)),
    join: latencyOf(400, () => slowness * (1 + 2 * near(random))),
    resume: latencyOf(120, () => slowness * 400 * near(random)),
    call_setup: latencyOf(200, () => slowness * (40 + 8 * near(random))),
  };
  return {
    schema: 'fenghuo-load/1',
    scenario: 'storm',
    seed,
    startedAt: '2026-11-25T08:30:00.000Z',
    durationS: DURATION_S,
    options: { url: 'http://127.0.0.1:3001', rate: 200, duration: '60s', share: '30 %', json: true },
    targets: NODES.map((node, index) => ({
      url: `http://127.0.0.1:${3001 + index}`,
      region: node.split('-')[0],
      node,
    })),
    generator: {
      hosts: 1,
      workers: 2,
      cpus: 2,
      node: 'v24.21.0',
      loopDelayP99Ms: 2.31,
      started: 12_500,
      lateStarts: 3,
      isValid: true,
      reasons: [],
    },
    connections: {
      target: 400,
      opened: 520,
      failed: 4,
      peak: 400,
      cutOff: 120,
      refused: { rate_limited: 4 },
    },
    sessions: {
      joined: 400,
      resumed: 120,
      recovered: 120,
      snapshots: 0,
      resyncs: 0,
      over: 0,
      wrongPeerLeft: 0,
    },
    signals: {
      planned: 12_004,
      sent: 12_004,
      accepted: 12_000,
      refused: { rate_limited: 4 },
      unknown: 0,
      expected: 12_000,
      delivered: 12_000,
      lost: 0,
      doubled: 0,
      reordered: 0,
      misrouted: 0,
      named: 0,
    },
    calls: { started: 200, connected: 200, failed: 0, hungUp: 180 },
    attacks: { 'a broken frame': { right: 20, wrong: [] } },
    latencies,
    timeline: { everyS: 1, points: timeline(random, slowness) },
    phases: [
      { name: 'ramp', fromS: 0, toS: 8 },
      { name: 'steady', fromS: 8, toS: STORM_AT_S },
      { name: 'storm', fromS: STORM_AT_S },
      { name: 'recovery', fromS: STORM_AT_S, toS: 35 },
      { name: 'steady', fromS: 35, toS: DURATION_S },
    ],
    recovery: {
      atS: STORM_AT_S,
      sessions: 120,
      points: Array.from({ length: 50 }, (_, index) => ({
        s: index / 10,
        share: Math.min(1, Math.round(120 * (1 - Math.exp(-index / (8 * slowness)))) / 119),
      })),
      to99S: 3.7 * slowness,
    },
    heatmap: {
      nodes: NODES,
      cells: NODES.flatMap((from) =>
        NODES.map((to) => {
          const isFar = from.split('-')[0] !== to.split('-')[0];
          const p50Ms = slowness * ((isFar ? 15.4 : from === to ? 0.5 : 0.8) + random() / 10);
          return {
            from,
            to,
            count: 700 + Math.round(random() * 100),
            p50Ms,
            p99Ms: p50Ms + 3 + 2 * random(),
          };
        }),
      ),
    },
    memory: {
      connections: 400,
      nodeRssBytesBefore: 410_000_000,
      nodeRssBytesAfter: 420_000_000,
      bytesPerConnection: 25_000 * slowness,
    },
    slopes: [
      { what: 'nodes RSS', unit: 'MiB', perHour: 1.8, isGrowing: false },
      { what: 'open handles', unit: '', perHour: 0, isGrowing: false },
    ],
    server: NODES.flatMap((node, index) => [
      serverMetric(node, 'signaling_connections', (atS) => Math.min(100, atS * 13) - dip(atS) * 30),
      serverMetric(node, 'signaling_packets_waiting', () => 0),
      serverMetric(
        node,
        'nodejs_eventloop_lag_p99_seconds',
        (atS) => 0.002 + index / 2_000 + dip(atS) * 0.02,
      ),
    ]),
  };
}

export function sampleResult({ slos = ['lost==0', 'relay_p99<80ms'], ...how }: SampleOptions = {}): Result {
  const run = sampleRun(how);
  return { ...run, ...judge(run, slos.map(parseSlo)) };
}

interface SampleOptions {
  readonly slowness?: number;
  readonly seed?: number;
  readonly slos?: readonly string[];
}

/** The latency of a histogram into which so many values, in milliseconds, are recorded. */
export function latencyOf(count: number, drawMs: () => number): Latency {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  });
  for (let index = 0; index < count; index++) histogram.recordValue(Math.round(drawMs() * 1_000));
  const percentile = (percent: number) => histogram.getValueAtPercentile(percent) / 1_000;
  return {
    count,
    minMs: histogram.minNonZeroValue / 1_000,
    meanMs: histogram.mean / 1_000,
    p50Ms: percentile(50),
    p90Ms: percentile(90),
    p95Ms: percentile(95),
    p99Ms: percentile(99),
    p999Ms: percentile(99.9),
    maxMs: (histogram as Histogram).maxValue / 1_000,
    hdr: encodeIntoCompressedBase64(histogram),
  };
}

/** Milliseconds, most about half of one, a few many times that. */
function near(random: () => number): number {
  return 0.35 + 0.25 * random() + 0.12 / (1.002 - random()) ** 0.8;
}

function dip(atS: number): number {
  return atS >= STORM_AT_S && atS < STORM_AT_S + 4 ? 1 - (atS - STORM_AT_S) / 4 : 0;
}

function timeline(random: () => number, slowness: number): Result['timeline']['points'] {
  return Array.from({ length: DURATION_S }, (_, index) => {
    const atS = index + 1;
    const sent = Math.round(Math.min(1, atS / 8) * (205 + 20 * random()));
    const relayP50Ms = slowness * (8 + random() + 60 * dip(atS));
    return {
      atS,
      connected: Math.min(400, atS * 52) - Math.round(dip(atS) * 120),
      target: Math.min(400, atS * 52),
      sent,
      delivered: sent - Math.round(dip(atS) * 60),
      ...(atS < 2
        ? {}
        : {
            relayP50Ms,
            relayP99Ms: relayP50Ms + 12 + 8 * random() + dip(atS) * 900,
            relayMaxMs: relayP50Ms + 30 + 60 * random() + dip(atS) * 2_000,
          }),
      loopP99Ms: 1.2 + random() + dip(atS),
      memoryMB: 130 + atS / 10,
    };
  });
}

function serverMetric(node: string, metric: string, value: (atS: number) => number) {
  return {
    node,
    metric,
    points: Array.from({ length: DURATION_S / 2 }, (_, index) => ({
      atS: 2 * index + 1,
      value: value(2 * index + 1),
    })),
  };
}

import { afterAll, describe, expect, test } from 'vitest';

import { capabilities } from '../support/capabilities.ts';
import { GOOD_HEAD } from './generate/heads.ts';
import { play } from './play.ts';
import { nodeDied } from './shrink.ts';
import { CLUSTERS, type ClusterName, type Step } from './steps.ts';
import { startTarget, type Target } from './target.ts';
import { vitalsOf } from './witness/node-watch.ts';

/** The shortest trace of something that a run of the fuzzer found. */
interface Found {
  readonly what: string;
  readonly clusters: readonly ClusterName[];
  readonly steps: readonly Step[];
}

const CONNECT: Step = { do: 'packet', text: '40{"token":"«jwt:good:1»"}' };
const DISCONNECT: Step = { do: 'packet', text: '41' };
const LISTEN: Step = { do: 'listen' };
const ask = (text: string): readonly Step[] => [CONNECT, LISTEN, { do: 'packet', text }, LISTEN];
const published = (message: string): readonly Step[] => [
  { do: 'redis', command: ['SPUBLISH', 'fenghuo:io#/#', message] },
];

const FOUND: readonly Found[] = [
  {
    what: 'CONNECT twice in one write',
    clusters: CLUSTERS,
    steps: [{ do: 'burst', steps: [CONNECT, CONNECT] }],
  },
  {
    what: 'CONNECT, DISCONNECT and CONNECT in one write',
    clusters: CLUSTERS,
    steps: [{ do: 'burst', steps: [CONNECT, DISCONNECT, CONNECT] }],
  },
  {
    what: 'CONNECT, DISCONNECT and CONNECT one after the other',
    clusters: CLUSTERS,
    steps: [CONNECT, LISTEN, DISCONNECT, CONNECT, LISTEN],
  },
  {
    what: 'CONNECT two thousand times in one write, and then a pong',
    clusters: CLUSTERS,
    steps: [{ do: 'repeat', times: 2_000, step: CONNECT }, LISTEN, { do: 'packet', text: '3' }],
  },
  {
    what: 'the id of a packet that is no number which JSON writes in digits',
    clusters: ['open'],
    steps: ask('4299999999999999999999999999999999["update",{"id":2}]'),
  },
  {
    what: 'an event without a name, and an id of 262,142 digits',
    clusters: ['open'],
    steps: ask(`42${'2'.repeat(262_142)}`),
  },
  {
    what: "a message on the adapter's channel that asks for sockets and names none",
    clusters: ['open'],
    steps: published('{"uid":"x","nsp":"/","type":7,"data":{"requestId":"x"}}'),
  },
];

const targets = new Map<ClusterName, Target>();
afterAll(async () => {
  for (const target of targets.values()) await target.stop();
});

/** One that nothing has ended yet. */
async function livingTarget(name: ClusterName): Promise<Target> {
  const known = targets.get(name);
  if (known !== undefined && known.crashes.length === 0) return known;
  await known?.stop();
  const target = await startTarget(name, { hasLimits: false });
  targets.set(name, target);
  return target;
}

const cases = FOUND.flatMap(({ what, clusters, steps }) =>
  clusters.map((cluster) => ({ what, cluster, steps })),
);

describe.skipIf(!capabilities.redisServer)('nodes outlive', () => {
  test.each(cases)('$what (AUTH=$cluster)', async ({ cluster, steps }) => {
    const target = await livingTarget(cluster);
    const { nodes, complaints } = target.cluster;
    const before = complaints.length;
    const script = { index: 0, cluster, node: 0, address: '127.0.0.66', head: GOOD_HEAD, pieces: 1 } as const;
    const { played, ended } = play({ ...script, isEager: false, steps }, target);
    await ended;
    await nodeDied(target, [played]);
    expect(target.crashes).toEqual([]);
    expect(played.findings).toEqual([]);
    expect(complaints.slice(before)).toEqual([]);
    expect((await Promise.all(nodes.map(vitalsOf))).map(({ isReady }) => isReady)).toEqual([true, true]);
  });
});

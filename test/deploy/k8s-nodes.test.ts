import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SETTINGS } from '../../services/signaling/config.ts';
import { type Config, parseConfig } from '../../services/signaling/index.ts';
import { IN_FILES } from '../../services/signaling/secret-files.ts';
import { capabilities } from '../support/capabilities.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { type Manifest, OVERLAYS, type PodTemplate, podTemplates, render } from '../support/manifests.ts';

const SECRETS: Readonly<Record<string, string>> = {
  REDIS_URL: 'redis+sentinel://fenghuo:secret@redis-0.redis,redis-1.redis,redis-2.redis/mymaster',
  REDIS_URLS: 'beijing=redis://fenghuo:secret@10.20.0.5 shanghai=rediss://fenghuo:secret@10.21.0.5',
  JWT_SECRET: 'j'.repeat(64),
  ADMIN_TOKEN: 'a'.repeat(64),
  TURN_SECRET: 't'.repeat(64),
};
/** What stands in a region, and knows the Redis of both. */
const REGIONS: Readonly<Record<string, string>> = {
  'k8s/overlays/cn-beijing': 'beijing',
  'k8s/overlays/cn-shanghai': 'shanghai',
  'test/deploy/k8s-regions': 'beijing',
};
/** As a Deployment names its pods. */
const POD = 'signaling-7c9f8b6d5f-x2x4z';
/** What a node takes after DRAIN_MS to hand its sessions over: docs/operations.md. */
const HAND_OVER_MS = 5_000;

let secrets: string;
let cluster: TestCluster;
beforeAll(async () => {
  secrets = mkdtempSync(join(tmpdir(), 'fenghuo-secrets-'));
  for (const [name, text] of Object.entries(SECRETS)) writeFileSync(join(secrets, name), `${text}\n`);
  cluster = await startCluster({ nodes: 1, backplane: 'memory' });
});
afterAll(async () => {
  await cluster.stop();
  rmSync(secrets, { recursive: true });
});

describe.skipIf(!capabilities.kubectl).each(OVERLAYS)('a node of %s', (folder) => {
  const { objects } = capabilities.kubectl ? render(folder) : { objects: [] };
  const pods = podTemplates(objects);
  const pod = pods.find(({ labels }) => labels['app.kubernetes.io/name'] === 'signaling') as PodTemplate;
  const named = (kind: string) => objects.filter((object) => object.kind === kind);
  const container = pod?.containers[0];
  const environment = () => environmentOf(pod, objects);
  const config = (): Config => parseConfig(environment());
  const isDev = folder.endsWith('/dev');

  test('starts with its settings, all of which the code knows', () => {
    const known = [...Object.keys(SETTINGS.shape), ...IN_FILES.map((name) => `${name}_FILE`)];
    expect(known).toEqual(expect.arrayContaining(Object.keys(environment())));
    const { nodeId, region, homes, tokens, adminTokens } = config();
    expect({ nodeId, region }).toEqual({ nodeId: POD, region: pod.labels.region });
    // Pods that share no Redis are clusters of one; without tokens anybody may come.
    expect([homes[0], tokens, adminTokens[0]].map((each) => each !== undefined)).toEqual(
      Array(3).fill(!isDev),
    );
    expect(environment().NODE_ENV).toBe(isDev ? 'development' : 'production');
  });

  test('listens where clients, probes and Prometheus come', () => {
    const { clients, operators } = config();
    const ports = Object.fromEntries(
      container.ports.map((port: Manifest['spec']) => [port.name, port.containerPort]),
    );
    expect(ports).toEqual({ clients: clients.port, operators: operators.port });
    expect([clients.host, operators.host]).toEqual(['0.0.0.0', '0.0.0.0']);
    for (const { spec } of named('PodMonitor'))
      expect(spec.podMetricsEndpoints).toMatchObject([{ port: 'operators' }]);
  });

  test('answers each probe and Prometheus at the path that is asked', async () => {
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
    expect(probes.map(({ httpGet }) => httpGet)).toEqual([
      { path: '/startupz', port: 'operators' },
      { path: '/livez', port: 'operators' },
      { path: '/readyz', port: 'operators' },
    ]);
    const scraped = named('PodMonitor').map(({ spec }) => spec.podMetricsEndpoints[0].path);
    for (const path of [...probes.map(({ httpGet }) => httpGet.path), ...scraped])
      expect((await fetch(`${cluster.nodes[0].opsUrl}${path}`)).status, path).toBe(200);
  });

  test('has time to drain before it is killed', () => {
    const preStopMs = container.lifecycle.preStop.sleep.seconds * 1_000;
    expect(preStopMs).toBeGreaterThan(0);
    const neededMs = preStopMs + config().drainMs + HAND_OVER_MS;
    expect(pod.spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(neededMs);
  });

  test('is replaced before it goes, and spread over zones and machines', () => {
    expect(pod.owner.spec.strategy.rollingUpdate).toMatchObject({ maxUnavailable: 0, maxSurge: 1 });
    expect(pod.spec.topologySpreadConstraints).toMatchObject([
      { topologyKey: 'topology.kubernetes.io/zone', matchLabelKeys: ['pod-template-hash'] },
      { topologyKey: 'kubernetes.io/hostname', matchLabelKeys: ['pod-template-hash'] },
    ]);
    for (const { spec } of named('PodDisruptionBudget'))
      expect(spec).toMatchObject({ maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' });
  });

  test('is not cut off by a proxy between two of its pings', () => {
    // Rule C3: ping and patience are a third of the resume window.
    const silenceMs = config().resumeWindowMs / 3;
    for (const { metadata } of named('Ingress'))
      for (const direction of ['read', 'send']) {
        const timeout = metadata.annotations?.[`nginx.ingress.kubernetes.io/proxy-${direction}-timeout`];
        expect(Number(timeout) * 1_000).toBeGreaterThan(2 * silenceMs);
      }
    for (const { spec } of named('HTTPRoute'))
      expect(spec.rules[0].timeouts).toEqual({ request: '0s', backendRequest: '0s' });
    const isBehindProxy = named('Ingress').length + named('HTTPRoute').length > 0;
    expect(config().clients.trustProxy).toBe(isBehindProxy);
  });

  test('stays in its region', () => {
    expect(pod.labels.region).toBe(REGIONS[folder] ?? 'local');
    const region = /cn-(\w+)$/.exec(folder)?.[1];
    if (region === undefined) return;
    for (const { spec } of pods) {
      const [term] =
        spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;
      expect(term.matchExpressions).toEqual([
        { key: 'topology.kubernetes.io/region', operator: 'In', values: [`cn-${region}`] },
      ]);
    }
    expect(named('HTTPRoute')[0]?.spec.hostnames).toEqual([`${region}.signal.example.org`]);
    // Pages measure the ways into all regions, from whichever they came.
    expect(config().publicUrl).toBe(`https://${region}.signal.example.org`);
    expect(config().allowedOrigins).toEqual(
      expect.arrayContaining(['beijing', 'shanghai'].map((each) => `https://${each}.signal.example.org`)),
    );
    for (const [origin] of [config().allowedOrigins ?? []])
      expect(origin).toBe(`https://${region}.signal.example.org`);
  });
});

/** The container's environment, with what Kubernetes puts in, and the secrets' files where this test has them. */
function environmentOf(pod: PodTemplate, objects: readonly Manifest[]): Record<string, string> {
  const [{ envFrom, env }] = pod.containers;
  const values: Record<string, string> = {};
  for (const { configMapRef } of envFrom)
    Object.assign(values, objects.find(({ metadata }) => metadata.name === configMapRef.name)?.data);
  for (const { name, valueFrom } of env) {
    const label = /^metadata\.labels\['(.+)'\]$/.exec(valueFrom.fieldRef.fieldPath)?.[1];
    values[name] = label === undefined ? POD : (pod.labels[label] ?? '');
  }
  for (const [name, path] of Object.entries(values)) {
    if (!name.endsWith('_FILE') || path === '') continue;
    const mounts = pod.containers[0].volumeMounts.map((mount: Manifest['spec']) => mount.mountPath);
    expect(mounts, name).toContain(dirname(path));
    values[name] = join(secrets, basename(path));
  }
  return values;
}

import { describe, expect, test } from 'vitest';
import { capabilities } from '../support/capabilities.ts';
import {
  type Manifest,
  OVERLAYS,
  type PodTemplate,
  podTemplates,
  render,
  selects,
} from '../support/manifests.ts';

/** To the Redis of the other region, which is somewhere else in each case. */
function farHoles(folder: string): string[] {
  if (folder.endsWith('/k8s-regions')) return ['TCP 6379', 'TCP 26379'];
  return folder.includes('/cn-') ? ['TCP 6379'] : [];
}

/** The volumes that the restricted Pod Security Standard knows, of those that we use. */
const VOLUMES = ['configMap', 'emptyDir', 'secret'];

describe.skipIf(!capabilities.kubectl).each(OVERLAYS)('%s', (folder) => {
  const { objects } = capabilities.kubectl ? render(folder) : { objects: [] };
  const pods = podTemplates(objects);
  const named = (kind: string) => objects.filter((object) => object.kind === kind);

  test('every pod is what the restricted Pod Security Standard asks for', () => {
    for (const { spec, containers } of pods) {
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: expect.toSatisfy((uid) => uid > 0),
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const flag of ['hostPID', 'hostIPC']) expect(spec[flag]).toBeUndefined();
      for (const volume of spec.volumes ?? [])
        expect(VOLUMES).toEqual(expect.arrayContaining(Object.keys(volume).filter((key) => key !== 'name')));
      for (const { securityContext } of containers) {
        const { capabilities: added, ...rest } = securityContext;
        expect(rest).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true });
        expect(added.drop).toEqual(['ALL']);
        // The one that the standard lets a container have.
        expect(['NET_BIND_SERVICE']).toEqual(expect.arrayContaining(added.add ?? []));
      }
    }
  });

  test('no pod can speak to the Kubernetes API, or learns of other Services', () => {
    for (const { spec } of pods)
      expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
  });

  test('the namespaces enforce it; relays, which need the network of their machine, have one of their own', () => {
    const level = (name: string) =>
      named('Namespace').find(({ metadata }) => metadata.name === name)?.metadata.labels?.[
        'pod-security.kubernetes.io/enforce'
      ];
    expect(level('fenghuo')).toBe('restricted');
    for (const { namespace, spec, containers } of pods) {
      const hostPorts = containers.flatMap(({ ports }) =>
        (ports ?? []).filter((port: Manifest['spec']) => port.hostPort),
      );
      const needsHost = spec.hostNetwork === true || hostPorts.length > 0;
      expect(needsHost ? level(namespace) : 'restricted').toBe(needsHost ? 'privileged' : level(namespace));
    }
  });
});

describe.skipIf(!capabilities.kubectl).each(OVERLAYS.filter((each) => !each.endsWith('/dev')))(
  'the network of %s',
  (folder) => {
    const { objects } = capabilities.kubectl ? render(folder) : { objects: [] };
    const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
    // A policy does not hold for pods in their machine's network.
    const pods = podTemplates(objects).filter(({ spec }) => spec.hostNetwork !== true);
    const of = (pod: PodTemplate) =>
      policies.filter(
        ({ spec, metadata }) => metadata.namespace === pod.namespace && selects(spec.podSelector, pod.labels),
      );

    test('denies whatever is not named, both ways', () => {
      const deny = policies.find(({ metadata }) => metadata.name === 'default-deny');
      expect(deny?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
      expect(deny?.metadata.namespace).toBe('fenghuo');
    });

    test('opens each port that a pod listens on, to somebody who is named, and no other', () => {
      for (const pod of pods) {
        const listens = pod.containers.flatMap(({ ports }) =>
          (ports ?? []).map((port: Manifest['spec']) => port.name),
        );
        const rules = of(pod).flatMap(({ spec }) => spec.ingress ?? []);
        const open = rules.flatMap(({ ports }) => ports.map((port: Manifest['spec']) => port.port));
        expect(new Set(open)).toEqual(new Set(listens));
        for (const { from } of rules) {
          expect(from.length).toBeGreaterThan(0);
          for (const peer of from) expect(Object.keys(peer).length).toBeGreaterThan(0);
        }
      }
    });

    test("lets Prometheus alone come to the operators' port", () => {
      const rules = policies.flatMap(({ spec }) => spec.ingress ?? []);
      const operators = rules.filter(({ ports }) =>
        ports.some((port: Manifest['spec']) => port.port === 'operators'),
      );
      expect(operators.map(({ from }) => from)).toEqual([
        [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } },
            podSelector: { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } },
          },
        ],
      ]);
    });

    test('lets nodes go to DNS and Redis, and elsewhere only where an overlay says so', () => {
      const node = pods.find(({ labels }) => labels['app.kubernetes.io/name'] === 'signaling') as PodTemplate;
      const holes = of(node)
        .flatMap(({ spec }) => spec.egress ?? [])
        .flatMap(({ to, ports }) =>
          ports.map((port: Manifest['spec']) => {
            expect(to).toHaveLength(1);
            return `${port.protocol} ${port.port}`;
          }),
        );
      const own = folder.startsWith('test/') ? ['TCP 26379', 'TCP 443'] : [];
      expect(holes.sort()).toEqual(['UDP 53', 'TCP 53', 'TCP 6379', ...own, ...farHoles(folder)].sort());
    });

    test('takes clients from what leads them here: the gateway, or the ingress controller', () => {
      const controller = objects.some(({ kind }) => kind === 'HTTPRoute')
        ? 'envoy-gateway-system'
        : 'ingress-nginx';
      const rules = policies.flatMap(({ spec }) => spec.ingress ?? []);
      const clients = rules.filter(({ ports }) =>
        ports.some((port: Manifest['spec']) => port.port === 'clients'),
      );
      expect(clients.map(({ from }) => from)).toEqual([
        [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': controller } } }],
      ]);
    });
  },
);

/** Variables as the kubelet puts them into each other: those that stand before. */
function expanded(
  env: readonly { readonly name: string; readonly value?: string }[],
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const { name, value } of env)
    values[name] =
      value?.replaceAll(/\$\((\w+)\)/g, (whole, other: string) => values[other] ?? whole) ?? 'redis-0';
  return values;
}

describe.skipIf(!capabilities.kubectl)('between two regions', () => {
  const policyOf = (folder: string, name: string) =>
    render(folder).objects.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === name)
      ?.spec;
  const addresses = (rules: Manifest['spec'][], direction: 'to' | 'from') =>
    rules.flatMap((rule) => rule[direction].flatMap((peer: Manifest['spec']) => peer.ipBlock?.cidr ?? []));

  test('nodes of both go to the same two Redis, each at an address of its own', () => {
    const [beijing, shanghai] = ['beijing', 'shanghai'].map((region) =>
      addresses(policyOf(`k8s/overlays/cn-${region}`, 'signaling').egress, 'to'),
    );
    expect(new Set(beijing).size).toBe(2);
    expect(shanghai).toEqual(beijing);
  });

  test('a Redis of one’s own bears names that the other region knows, too', () => {
    const redis = podTemplates(render('test/deploy/k8s-regions').objects).find(
      ({ labels }) => labels['app.kubernetes.io/name'] === 'redis',
    );
    const domain = 'beijing.redis.fenghuo.svc.clusterset.local';
    for (const { env } of redis?.containers.filter((container) => container.env !== undefined) ?? [])
      expect(expanded(env)).toMatchObject({
        SELF: `redis-0.${domain}`,
        PEERS: [0, 1, 2].map((n) => `redis-${n}.${domain}`).join(' '),
      });
    expect.assertions(2);
  });

  test('a Redis of one’s own takes the nodes of the other region, and they are let out to it', () => {
    const folder = 'test/deploy/k8s-regions';
    const far = addresses(policyOf(folder, 'redis').ingress, 'from');
    expect(far).toHaveLength(1);
    expect(addresses(policyOf(folder, 'signaling').egress, 'to')).toEqual(expect.arrayContaining(far));
  });
});

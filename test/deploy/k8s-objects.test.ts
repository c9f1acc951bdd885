import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { generated } from '../../k8s/generate.ts';
import { IN_FILES } from '../../services/signaling/secret-files.ts';
import { capabilities } from '../support/capabilities.ts';
import { schemaFault } from '../support/kubernetes-models.ts';
import { type Manifest, OVERLAYS, podTemplates, render, selects } from '../support/manifests.ts';

/** A checker with the API's whole schemas, where .ci/run found one. */
const VALIDATOR = process.env.K8S_VALIDATOR;

test.each([...generated()])('%s is made of its source as that is now', (path, text) => {
  expect(readFileSync(path, 'utf8'), 'run `npm run k8s:generate`').toBe(text);
});

test.skipIf(!VALIDATOR || !capabilities.kubectl).each(['1.32', '1.35'])(
  'Kubernetes %s knows every field of every object',
  (version) => {
    const folder = mkdtempSync(join(tmpdir(), 'fenghuo-manifests-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    // One run for all, since it spends its time on reading the schemas: each in namespaces of its own.
    const rendered = OVERLAYS.map((overlay, n) => {
      const objects = render(overlay).objects.map((object) => inNamespaceOf(object, n));
      writeFileSync(
        join(folder, `${n}-${basename(overlay)}.json`),
        JSON.stringify({ kind: 'List', items: objects }),
      );
      return objects;
    });
    const args = [VALIDATOR ?? '', '--k8s', version, folder];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const said = `${rendered.flat().length} documents checked against Kubernetes ${version}, 0 problems\n`;
    expect({ status, stdout }).toEqual({ status: 0, stdout: said });
  },
);

function inNamespaceOf(object: Manifest, overlay: number): Manifest {
  const { name, namespace } = object.metadata;
  const own =
    object.kind === 'Namespace' ? { name: `${name}-${overlay}` } : { namespace: `${namespace}-${overlay}` };
  return { ...object, metadata: { ...object.metadata, ...own } };
}

describe.skipIf(!capabilities.kubectl).each(OVERLAYS)('%s', (folder) => {
  const { text, objects } = capabilities.kubectl ? render(folder) : { text: '', objects: [] };
  const pods = podTemplates(objects);
  const named = (kind: string) => objects.filter((object) => object.kind === kind);
  const isThere = (kind: string, name: string, namespace: string | undefined) =>
    named(kind).some(({ metadata }) => metadata.name === name && metadata.namespace === namespace);

  test('each object is what the schema of its kind asks for', () => {
    expect(objects.length).toBeGreaterThan(5);
    expect(objects.map(schemaFault).filter(Boolean)).toEqual([]);
  });

  test('every object names its namespace, so that kubectl puts none elsewhere', () => {
    const astray = objects.filter(
      ({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace === undefined,
    );
    expect(astray.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([]);
    for (const { metadata } of objects)
      if (metadata.namespace !== undefined)
        expect(isThere('Namespace', metadata.namespace, undefined)).toBe(true);
  });

  test('what pods refer to is there', () => {
    for (const { namespace, spec, containers } of pods) {
      if (spec.serviceAccountName !== undefined)
        expect(isThere('ServiceAccount', spec.serviceAccountName, namespace)).toBe(true);
      const configs = [
        ...containers.flatMap((container) => container.envFrom ?? []).map((from) => from.configMapRef.name),
        ...(spec.volumes ?? []).flatMap((volume: Manifest['spec']) => volume.configMap?.name ?? []),
      ];
      for (const name of configs) {
        expect(isThere('ConfigMap', name, namespace), name).toBe(true);
        // A name that holds its content's hash: another content is another name, and rolls the pods.
        expect(name).toMatch(/-[a-z0-9]{10}$/);
      }
    }
  });

  test('what selects pods selects some, by the labels that their templates give them', () => {
    const selectors = [
      ...[...named('PodDisruptionBudget'), ...named('PodMonitor'), ...pods.map(({ owner }) => owner)]
        // A Job makes its own.
        .filter(({ kind }) => kind !== 'Job')
        .map((object) => ({ object, selector: object.spec.selector })),
      ...named('Service').map((object) => ({ object, selector: { matchLabels: object.spec.selector } })),
      ...named('NetworkPolicy').map((object) => ({ object, selector: object.spec.podSelector })),
    ];
    expect(selectors.length).toBeGreaterThan(2);
    for (const { object, selector } of selectors) {
      const selected = pods.filter(
        ({ namespace, labels }) => namespace === object.metadata.namespace && selects(selector, labels),
      );
      expect(selected, `${object.kind} ${object.metadata.name}`).not.toEqual([]);
    }
  });

  test('every image is of a version', () => {
    for (const { containers } of pods)
      for (const { image } of containers) expect(image).toMatch(/^[\w./-]+:\d[\w.-]*$/);
  });

  test('pods are spread among their like', () => {
    for (const { spec, labels } of pods)
      for (const { labelSelector } of spec.topologySpreadConstraints ?? [])
        expect(selects(labelSelector, labels)).toBe(true);
  });

  test('clients are led to a port of the Service, and by it to a port of the pods', () => {
    const services = named('Service');
    const portOf = (name: string, port: number | string) =>
      services
        .find((service) => service.metadata.name === name)
        ?.spec.ports.find((each: Manifest['spec']) => each.port === port || each.name === port);
    for (const { spec } of named('HTTPRoute'))
      for (const { name, port } of spec.rules[0].backendRefs) expect(portOf(name, port)).toBeDefined();
    for (const { spec } of named('Ingress')) {
      const { service } = spec.rules[0].http.paths[0].backend;
      expect(portOf(service.name, service.port.name)).toBeDefined();
    }
    for (const { spec } of services) {
      const target = pods.find(({ labels }) => selects({ matchLabels: spec.selector }, labels));
      const names = target?.containers.flatMap(({ ports }) =>
        (ports ?? []).map((port: Manifest['spec']) => port.name),
      );
      for (const { targetPort } of spec.ports) expect(names).toContain(targetPort);
    }
  });

  test('no secret is in it, and none comes as a variable: secrets are files of a Secret that somebody else makes', () => {
    expect(named('Secret')).toEqual([]);
    const names = pods.flatMap(({ containers }) =>
      containers.flatMap((container) =>
        (container.env ?? []).map((variable: Manifest['spec']) => variable.name),
      ),
    );
    const settings = named('ConfigMap').flatMap(({ data }) => Object.keys(data ?? {}));
    for (const secret of IN_FILES) expect([...names, ...settings]).not.toContain(secret);
    expect(text).not.toMatch(/static-auth-secret=[^$]|requirepass|masterauth|redis:\/\/[^P\s]*:[^P\s]*@/);
  });

  test('one thing alone decides how many nodes there are', () => {
    const scalers = [...named('HorizontalPodAutoscaler'), ...named('ScaledObject')];
    expect(scalers.length).toBe(folder.endsWith('/dev') ? 0 : 1);
    const { replicas } = named('Deployment')[0]?.spec ?? {};
    expect(replicas).toBe(scalers.length === 0 ? 1 : undefined);
    for (const { spec } of scalers) {
      expect(spec.scaleTargetRef.name).toBe('signaling');
      expect(spec.minReplicas ?? spec.minReplicaCount).toBeGreaterThanOrEqual(2);
      const { behavior } = spec.advanced?.horizontalPodAutoscalerConfig ?? spec;
      expect(behavior.scaleDown.stabilizationWindowSeconds).toBeGreaterThanOrEqual(600);
      expect(behavior.scaleDown.policies).toMatchObject([{ type: 'Pods', value: 1 }]);
      const asked = JSON.stringify(spec.metrics ?? spec.triggers);
      expect(asked).toContain('signaling_connections');
      expect(asked).toMatch(/"(type|name)":"cpu"/);
    }
  });
});

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

/** A rendered object, as the API server would get it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: a test reads manifests of every kind
  readonly spec?: any;
  readonly data?: Readonly<Record<string, string>>;
}

/** One pod template, and the object that makes pods of it. */
export interface PodTemplate {
  readonly owner: Manifest;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly spec: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly containers: readonly any[];
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What `kubectl apply -k` would send: the text, and its objects. Throws with kustomize's own words. */
export function render(folder: string): { readonly text: string; readonly objects: readonly Manifest[] } {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`kubectl kustomize ${folder}: ${stderr}`);
  const documents = parseAllDocuments(stdout);
  const objects = documents.map((document) => document.toJS() as Manifest | null);
  return { text: stdout, objects: objects.filter((object) => object !== null) };
}

export function podTemplates(objects: readonly Manifest[]): PodTemplate[] {
  return objects
    .filter((object) => ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'].includes(object.kind))
    .map((owner) => {
      const { metadata, spec } = owner.spec.template;
      return {
        owner,
        namespace: owner.metadata.namespace ?? '',
        labels: metadata.labels,
        spec,
        containers: [...(spec.initContainers ?? []), ...spec.containers],
      };
    });
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { key: string; operator: string; values: readonly string[] }[];
}

/** Whether a label selector selects something with these labels. Throws at an operator that no manifest of ours uses. */
export function selects(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  const wanted = Object.entries(selector.matchLabels ?? {});
  return (
    wanted.every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values }) => {
      if (operator !== 'In') throw new Error(`selectors with ${operator} are not understood here`);
      return values.includes(labels[key] ?? '');
    })
  );
}

/** Every folder that is rendered and checked: the overlays, and what none of them holds. */
export const OVERLAYS = [
  'k8s/overlays/dev',
  'k8s/overlays/prod',
  'k8s/overlays/cn-beijing',
  'k8s/overlays/cn-shanghai',
  'test/deploy/k8s',
  'test/deploy/k8s-regions',
] as const;

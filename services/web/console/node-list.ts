import type { NodeReport } from './admin-api.ts';

/** How long a node that is gone is still shown, so that nobody has to wonder where it was. */
export const GONE_SHOWN_MS = 60_000;

/** A node as the console knows it: its last report, and since when it is missing from the cluster's list. */
export interface NodeView extends NodeReport {
  readonly goneAt?: number;
}

export const NODE_STATES = ['ready', 'draining', 'drained', 'full', 'closed', 'gone'] as const;
export type NodeState = (typeof NODE_STATES)[number];

export function stateOf(node: NodeView): NodeState {
  if (node.goneAt !== undefined) return 'gone';
  if (node.draining) return node.connections === 0 ? 'drained' : 'draining';
  if (node.admitting) return 'ready';
  return node.connections >= (node.connections_max ?? Number.POSITIVE_INFINITY) ? 'full' : 'closed';
}

/** The nodes after a look, by region and name: those that live, and those that are gone since a short while. */
export function nodesAfter(
  before: readonly NodeView[],
  reports: readonly NodeReport[],
  now: number,
): readonly NodeView[] {
  const living = new Set(reports.map(({ id }) => id));
  const gone = before
    .filter(({ id }) => !living.has(id))
    .map((node) => ({ ...node, goneAt: node.goneAt ?? now }))
    .filter(({ goneAt }) => now - goneAt < GONE_SHOWN_MS);
  return [...reports, ...gone].sort((a, b) => byName(a.region ?? '', b.region ?? '') || byName(a.id, b.id));
}

export interface Totals {
  readonly nodes: number;
  readonly byState: Readonly<Partial<Record<NodeState, number>>>;
  readonly connections: number;
  readonly connectionsMax: number;
  readonly people: number;
  readonly messagesPerSecond: number;
}

/** Sums over the nodes that live. Rooms are missing: one that spans nodes would be counted at each. */
export function totalsOf(nodes: readonly NodeView[]): Totals {
  const living = nodes.filter(({ goneAt }) => goneAt === undefined);
  const sum = (of: (node: NodeView) => number | null) =>
    living.reduce((total, node) => total + (of(node) ?? 0), 0);
  const byState: Partial<Record<NodeState, number>> = {};
  for (const state of nodes.map(stateOf)) byState[state] = (byState[state] ?? 0) + 1;
  return {
    nodes: living.length,
    byState,
    connections: sum((node) => node.connections),
    connectionsMax: sum((node) => node.connections_max),
    people: sum((node) => node.peers),
    messagesPerSecond: sum((node) => node.messages_per_second),
  };
}

/** In the order in which people count: node-2 before node-10. */
export function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

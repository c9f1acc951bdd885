import type { ClusterName } from '../steps.ts';

/** A cluster, as those see it who use it honestly. */
export interface Witnessed {
  readonly name: ClusterName;
  readonly nodes: readonly WitnessedNode[];
  /** By name; none where none is needed. */
  readonly tokens: Readonly<Record<string, string>>;
}

export interface WitnessedNode {
  readonly id: string;
  readonly endpoint: string;
  readonly opsUrl: string;
}

export function tokenOf({ tokens }: Witnessed, name: string): { token?: string } {
  const token = tokens[name];
  return token === undefined ? {} : { token };
}

import type { Catalogue } from '../../services/signaling/telemetry/catalogue.ts';

/** What a name in an expression may be asked for: its labels, and of each its values, where they are a closed set. */
export type Known = ReadonlyMap<string, Labels>;
type Labels = ReadonlyMap<string, ReadonlySet<string> | 'any'>;

/** Labels that a scrape adds to whatever a node tells. */
const OF_THE_SCRAPE = ['job', 'instance', 'namespace', 'region', 'pod'];

/** The series of the catalogue, and those that Prometheus makes itself. */
export function knownSeries({ entries }: Catalogue): Map<string, Labels> {
  const known = new Map<string, Labels>([
    ['up', new Map(anyOf(OF_THE_SCRAPE))],
    ['ALERTS', new Map(anyOf([...OF_THE_SCRAPE, 'alertname', 'alertstate', 'severity', 'service']))],
  ]);
  for (const name of OF_HAPROXY) known.set(name, new Map(anyOf([...OF_THE_SCRAPE, 'proxy'])));
  for (const { name, type, labels } of entries) {
    const own = Object.entries(labels).map(
      ([label, values]) => [label, typeof values === 'string' ? 'any' : new Set(values)] as const,
    );
    const all: Labels = new Map([...anyOf(OF_THE_SCRAPE), ...own]);
    if (type !== 'histogram') known.set(name, all);
    else {
      for (const part of ['count', 'sum']) known.set(`${name}_${part}`, all);
      known.set(`${name}_bucket`, new Map([...all, ...anyOf(['le'])]));
    }
  }
  return known;
}

/** That it tells them is asked of a real one in `compose.test.ts`. */
const OF_HAPROXY = ['haproxy_frontend_current_sessions', 'haproxy_frontend_limit_sessions'];

function anyOf(labels: readonly string[]): [string, ReadonlySet<string> | 'any'][] {
  return labels.map((label) => [label, 'any']);
}

/** What an expression asks for that is not there: names, labels and values; empty where all is well. */
export function faultsIn(expression: string, known: Known): string[] {
  const faults: string[] = [];
  const { selectors, grouped } = partsOf(expression);
  const there = new Set<string>();
  for (const { name, matchers } of selectors) {
    const labels = known.get(name);
    if (labels === undefined) {
      faults.push(`no series ${name}`);
      continue;
    }
    for (const label of labels.keys()) there.add(label);
    for (const { label, values } of matchers) {
      const possible = labels.get(label);
      if (possible === undefined) faults.push(`${name} has no label ${label}`);
      else if (possible !== 'any')
        for (const value of values)
          if (!possible.has(value)) faults.push(`${name}: ${label} is never ${value}`);
    }
  }
  for (const label of grouped) if (!there.has(label)) faults.push(`nothing has the label ${label}`);
  return faults;
}

interface Selector {
  readonly name: string;
  readonly matchers: readonly { readonly label: string; readonly values: readonly string[] }[];
}

/** Which series an expression selects, and by which labels it groups or joins them. */
export function partsOf(expression: string): { selectors: Selector[]; grouped: string[] } {
  const grouped: string[] = [];
  const text = expression
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g, (_, __, labels: string) => {
      grouped.push(
        ...labels
          .split(',')
          .map((label) => label.trim())
          .filter(Boolean),
      );
      return ' ';
    });
  const selectors: Selector[] = [];
  for (const [, name = '', inBraces, call] of text.matchAll(
    /"[^"]*"|([a-zA-Z_][\w:]*)\s*(?:\{([^}]*)\}|(\())?/g,
  )) {
    if (name === '' || call !== undefined || OPERATORS.has(name)) continue;
    selectors.push({ name, matchers: matchersOf(inBraces ?? '') });
  }
  return { selectors, grouped };
}

const OPERATORS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'by', 'without', 'inf', 'nan', 'e']);

function matchersOf(inBraces: string): Selector['matchers'] {
  return [...inBraces.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].map(
    ([, label = '', operator = '', value = '']) => {
      // A dashboard's variable, or a pattern that is more than a list.
      if (value.includes('$') || /[.*+?()[\]]/.test(value)) return { label, values: [] };
      return { label, values: operator.includes('~') ? value.split('|') : [value] };
    },
  );
}

import { execFile, execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { openMetrics } from '../../services/signaling/telemetry/metrics.ts';
import { capabilities } from '../support/capabilities.ts';
import { faultsIn, knownSeries, partsOf } from '../support/promql.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const filesIn = (pattern: string) =>
  globSync(pattern, { cwd: ROOT })
    .sort()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
interface Case {
  readonly name: string;
  readonly promql_expr_test?: readonly {
    readonly eval_time: string;
    readonly expr: string;
    readonly exp_samples: readonly { readonly labels: string }[];
  }[];
}
interface Target {
  readonly expr: string;
  readonly legendFormat: string;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
  readonly targets?: readonly Target[];
}
interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly templating: { readonly list: readonly { readonly name: string }[] };
}

const GROUPS = filesIn('deploy/prometheus/rules/*.yml').flatMap(
  ({ text }) => (parse(text) as { groups: { name: string; rules: Rule[] }[] }).groups,
);
const RULES = GROUPS.flatMap((group) => group.rules);
const ALERTS = RULES.filter((rule) => rule.alert !== undefined);
const CASES = filesIn('deploy/prometheus/tests/*.yml').flatMap(
  ({ text }) => (parse(text) as { tests: Case[] }).tests,
);
const DASHBOARDS = filesIn('deploy/grafana/dashboards/*.json').map(({ path, text }) => ({
  path,
  dashboard: JSON.parse(text) as Dashboard,
}));
/** The variable, which Grafana puts in. */
const DATASOURCE = ['$', '{datasource}'].join('');
const OPERATIONS = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
const { catalogue } = openMetrics();
const KNOWN = knownSeries(catalogue);
for (const { record, expr } of RULES.filter((rule) => rule.record !== undefined)) {
  const labels = partsOf(expr).grouped.filter((label) => label !== 'le');
  KNOWN.set(record ?? '', new Map(labels.map((label) => [label, 'any'])));
}

test.each([
  ['rate(signaling_mesages_total[5m])', 'no series signaling_mesages_total'],
  ['signaling_relay_duration_seconds > 1', 'no series signaling_relay_duration_seconds'],
  ['signaling_messages_total{kind="offer"}', 'signaling_messages_total has no label kind'],
  ['sum(signaling_messages_total{type=~"offer|ofer"})', 'signaling_messages_total: type is never ofer'],
  ['sum by (regoin) (signaling_peers) > 0', 'nothing has the label regoin'],
])('what is misspelt is found: %s', (expr, fault) => {
  expect(faultsIn(expr, KNOWN)).toEqual([fault]);
});

describe('the rules', () => {
  test.each(RULES.map((rule) => [rule.alert ?? rule.record, rule.expr]))(
    '%s asks for what nodes tell',
    (_, expr) => {
      expect(faultsIn(expr, KNOWN)).toEqual([]);
    },
  );

  test.skipIf(!capabilities.promtool)('are clean for promtool', () => {
    const rules = filesIn('deploy/prometheus/rules/*.yml').map(({ path }) => path);
    const output = execFileSync('promtool', ['check', 'rules', ...rules], { cwd: ROOT, encoding: 'utf8' });
    expect(output.match(/SUCCESS: \d+ rules found/g)).toHaveLength(rules.length);
  });

  test('are tried in an order that is always the same', () => {
    for (const { text } of filesIn('deploy/prometheus/tests/*.yml')) {
      const { group_eval_order } = parse(text) as { group_eval_order: string[] };
      expect(group_eval_order.toSorted()).toEqual(GROUPS.map(({ name }) => name).sort());
    }
  });

  test.skipIf(!capabilities.promtool)('fire and stay quiet as their cases say', async () => {
    const run = promisify(execFile);
    const files = filesIn('deploy/prometheus/tests/*.yml').map(({ path }) => path);
    const outcomes = await Promise.all(
      files.map((file) =>
        run('promtool', ['test', 'rules', file], { cwd: ROOT }).then(
          () => 'as said',
          ({ stdout, stderr }: { stdout: string; stderr: string }) => `${stdout}\n${stderr}`,
        ),
      ),
    );
    expect(outcomes).toEqual(files.map(() => 'as said'));
  });
});

describe('each alert', () => {
  const named = ALERTS.map((rule) => [rule.alert ?? '', rule.labels?.severity ?? '', rule] as const);

  test.each(named)(
    '%s (%s) has a case in which it fires, and one in which it stays quiet',
    (alert, severity) => {
      const own = CASES.filter(({ name }) => name.split(':')[0]?.split(', ').includes(alert));
      const firings = own.map(({ promql_expr_test = [] }) =>
        promql_expr_test.flatMap(({ exp_samples }) => exp_samples.map(({ labels }) => labels)),
      );
      const isFiring = (labels: readonly string[]) =>
        labels.includes(`{alertname="${alert}", severity="${severity}"}`);
      expect(firings.some(isFiring)).toBe(true);
      expect(firings.some((labels) => !isFiring(labels))).toBe(true);
    },
  );

  test.each(named)(
    '%s (%s) says whom it wakes, what is wrong, and where to read on',
    (alert, severity, rule) => {
      expect(['page', 'ticket']).toContain(severity);
      expect(rule.annotations).toEqual({
        summary: expect.stringMatching(/^[A-Z].*\.$/),
        description: expect.stringMatching(/\.$/),
        runbook_url: `docs/operations.md#${alert.toLowerCase()}`,
      });
    },
  );

  test('has its runbook, and each runbook its alert', () => {
    const [, runbooks = ''] = OPERATIONS.split('\n## Runbooks\n');
    const sections = runbooks.split('\n## ')[0]?.split('\n### ').slice(1) ?? [];
    const names = new Set(ALERTS.map(({ alert }) => alert));
    expect(sections.map((section) => section.split('\n')[0])).toEqual([...names]);
    for (const section of sections) expect(section).toMatch(/\*\*Means\*\*.+\*\*Look at\*\*.+\*\*Do\*\*/s);
  });

  test('is told of by cases that look at all alerts, so that none fires beside it unseen', () => {
    const looks = CASES.flatMap(({ promql_expr_test = [] }) => promql_expr_test.map(({ expr }) => expr));
    expect(new Set(looks)).toEqual(new Set(['count by (alertname, severity) (ALERTS{alertstate="firing"})']));
  });
});

test('the documents name no metric that is not there', () => {
  const names = catalogue.entries.map(({ name }) => name);
  for (const { path, text } of filesIn('docs/*.md')) {
    const told = [...text.matchAll(/\bsignaling_[a-z_]+/g)].map(([name]) => name);
    const unknown = told.filter((name) => !names.includes(name));
    expect({ path, unknown }).toEqual({ path, unknown: [] });
  }
});

describe('the dashboards', () => {
  const withoutVariables = (expr: string) =>
    expr.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '1h');
  const targets = DASHBOARDS.flatMap(({ path, dashboard }) => [
    ...dashboard.annotations.list.map(({ name, expr }) => ({
      panel: `${path}, ${name}`,
      expr,
      legendFormat: '',
    })),
    ...dashboard.panels.flatMap(({ title, targets = [] }) =>
      targets.map((target) => ({ panel: `${path}, ${title}`, ...target })),
    ),
  ]);

  test('ask for what nodes or rules tell, and name their lines by labels that are there', () => {
    for (const { panel, expr, legendFormat } of targets) {
      const plain = withoutVariables(expr);
      expect({ panel, faults: faultsIn(plain, KNOWN) }).toEqual({ panel, faults: [] });
      const { selectors, grouped } = partsOf(plain);
      const there = [...grouped, ...selectors.flatMap(({ name }) => [...(KNOWN.get(name)?.keys() ?? [])])];
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(there).toContain(label);
    }
  });

  test.skipIf(!capabilities.promtool)('hold expressions that Prometheus understands', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dashboards-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const rules = targets.map(({ expr }, n) => ({ record: `panel:${n}`, expr: withoutVariables(expr) }));
    const file = join(folder, 'rules.json');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    expect(execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })).toContain(
      `SUCCESS: ${targets.length} rules found`,
    );
  });

  test('are where Grafana looks for them in docker-compose', () => {
    const read = (path: string) => parse(readFileSync(join(ROOT, path), 'utf8'));
    const { grafana, prometheus } = read('docker-compose.yml').services;
    const { providers } = read('deploy/grafana/provisioning/dashboards/fenghuo.yml');
    const { datasources } = read('deploy/grafana/provisioning/datasources/prometheus.yml');
    expect(grafana.volumes).toContain(`./deploy/grafana/dashboards:${providers[0].options.path}:ro`);
    expect(grafana.volumes).toContain('./deploy/grafana/provisioning:/etc/grafana/provisioning:ro');
    expect(datasources).toMatchObject([{ type: 'prometheus', url: 'http://prometheus:9090' }]);
    expect(prometheus).toBeDefined();
  });

  test('show every metric that nodes tell', () => {
    const recorded = new Map(RULES.map(({ record, expr }) => [record, expr]));
    const shown = targets.flatMap(({ expr }) =>
      partsOf(withoutVariables(expr)).selectors.flatMap(({ name }) => [
        name,
        ...partsOf(recorded.get(name) ?? '').selectors.map((selector) => selector.name),
      ]),
    );
    const isShown = (name: string) =>
      ['', '_bucket', '_count'].some((part) => shown.includes(`${name}${part}`));
    expect(catalogue.entries.map(({ name }) => name).filter((name) => !isShown(name))).toEqual([]);
  });

  test.each(DASHBOARDS.map(({ path, dashboard }) => [path, dashboard] as const))(
    '%s has panels with a title, a description, a unit and a place of their own',
    (_, { panels, templating }) => {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      for (const panel of panels.filter(({ type }) => type !== 'row')) {
        expect(panel).toMatchObject({
          title: expect.stringMatching(/./),
          description: expect.stringMatching(/\.$/),
          datasource: { uid: DATASOURCE },
          fieldConfig: { defaults: { unit: expect.stringMatching(/./) } },
        });
      }
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
      );
      expect(new Set(cells).size).toBe(cells.length);
      expect(Math.max(...panels.map(({ gridPos }) => gridPos.x + gridPos.w))).toBe(24);
      const variables = templating.list.map(({ name }) => name);
      expect(variables).toEqual(['datasource', 'namespace', 'region', 'pod']);
      const used = [...JSON.stringify(panels).matchAll(/\$\{?([a-z_]+)/g)].map(([, name = '']) => name);
      expect(
        [...new Set(used)].filter((name) => !variables.includes(name) && !name.startsWith('__')),
      ).toEqual([]);
    },
  );
});

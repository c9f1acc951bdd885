import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ERRORS } from '@fenghuo/protocol';
import { describe, expect, test } from 'vitest';
import { SETTINGS } from '../services/signaling/config.ts';
import { openMetrics } from '../services/signaling/telemetry/metrics.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SOURCES = globSync('services/**/*.{ts,tsx}', {
  cwd: ROOT,
  exclude: ['**/node_modules/**', '**/dist/**'],
});

interface Import {
  readonly file: string;
  /** A path from the root, for a file of ours; else the package's or module's name. */
  readonly target: string;
}

const IMPORTS: Import[] = SOURCES.flatMap((file) =>
  [
    ...readFileSync(join(ROOT, file), 'utf8').matchAll(/\b(?:from\s+|import\s+|import\s*\(\s*)'([^']+)'/g),
  ].map(([, name = '']) => ({
    file,
    target: name.startsWith('.') ? normalize(join(dirname(file), name)) : name,
  })),
);

/** The imports of a folder, or of files whose path matches, that are not among those allowed. */
function strays(from: RegExp, allowed: RegExp): string[] {
  return IMPORTS.filter(({ file, target }) => from.test(file) && !allowed.test(target)).map(
    ({ file, target }) => `${file} imports ${target}`,
  );
}

describe('the arrows', () => {
  const within = (service: string) => `^services/${service}/`;
  const rules: [string, RegExp, RegExp][] = [
    ['protocol depends on zod alone', /^services\/protocol\//, RegExp(`^zod$|${within('protocol')}`)],
    [
      'domain knows the protocol and a library of pure functions, and nothing else',
      /^services\/signaling\/domain\//,
      RegExp(`^(@fenghuo/protocol|ipaddr\\.js)$|${within('signaling/domain')}`),
    ],
    [
      "requests know the domain and the backplane's port, never Redis, socket.io, fastify or prom-client",
      /^services\/signaling\/requests\//,
      RegExp(
        `^@fenghuo/protocol$|^zod$|${within('signaling/(requests|domain)')}|${within('signaling/backplane')}[a-z-]+\\.ts$`,
      ),
    ],
    [
      'sockets know requests and the port, never an adapter of the backplane',
      /^services\/signaling\/sockets\//,
      RegExp(
        `^(@fenghuo/protocol|zod|engine\\.io|socket\\.io|socket\\.io-(parser|adapter)|ws|node:.*)$|${within('signaling/(sockets|requests|domain)')}|${within('signaling/backplane')}[a-z-]+\\.ts$`,
      ),
    ],
    [
      'tokens know the domain, and the settings that they are signed by',
      /^services\/signaling\/tokens\//,
      RegExp(
        `^(@fenghuo/protocol|jose|zod|node:crypto)$|${within('signaling/(tokens|domain)')}|^services/signaling/config\\.ts$`,
      ),
    ],
    [
      'the doctor looks at what nodes are made of, and starts none of it',
      /^services\/signaling\/doctor\//,
      RegExp(
        `^(@fenghuo/protocol|ioredis|node:.*)$|${within('signaling/(doctor|domain|backplane/redis|tokens)')}|^services/signaling/(backplane/leases|config|ice-servers|open-files|secret-files)\\.ts$`,
      ),
    ],
    [
      'the Redis backplane knows neither the memory one nor sockets nor requests',
      /^services\/signaling\/backplane\/redis\//,
      RegExp(
        `^(@fenghuo/protocol|zod|ioredis|@socket\\.io/redis-adapter|rate-limiter-flexible|node:.*)$|${within('signaling/(domain|backplane/redis)')}|${within('signaling/backplane')}[a-z-]+\\.ts$`,
      ),
    ],
    [
      'the memory backplane knows neither the Redis one nor sockets nor requests',
      /^services\/signaling\/backplane\/memory\//,
      RegExp(
        `^(@fenghuo/protocol|socket\\.io-adapter|node:.*)$|${within('signaling/(domain|backplane/memory)')}|${within('signaling/backplane')}[a-z-]+\\.ts$`,
      ),
    ],
    [
      'the SDK meets the server in the protocol alone, and runs in browsers',
      /^services\/client\//,
      RegExp(`^(@fenghuo/protocol|socket\\.io-client)$|${within('client')}`),
    ],
    [
      'the page knows the SDK, never the server',
      /^services\/web\/(?!vite)/,
      RegExp(`^(@fenghuo/(client|protocol)|preact(/.*)?|@preact/signals|uplot(/.*)?)$|${within('web')}`),
    ],
    [
      'the load tester speaks the wire, and meets the server as a process alone',
      /^services\/loadtest\//,
      RegExp(
        `^(@fenghuo/(protocol|cluster|web/report)|socket\\.io-client|hdr-histogram-js|zod|node:.*)$|${within('loadtest')}`,
      ),
    ],
    [
      'who starts nodes enters the server by its index',
      /^services\/cluster\//,
      RegExp(`^(@fenghuo/signaling|ioredis|node:.*)$|${within('cluster')}`),
    ],
  ];
  test.each(rules)('%s', (_, from, allowed) => {
    expect(IMPORTS.some(({ file }) => from.test(file))).toBe(true);
    expect(strays(from, allowed)).toEqual([]);
  });

  test('nobody but the process knows the doctor', () => {
    const knows = IMPORTS.filter(
      ({ file, target }) => target.includes('/doctor/') && !file.includes('/doctor/'),
    );
    expect(knows.map(({ file }) => file)).toEqual(['services/signaling/main.ts']);
  });

  test('only the composition root knows both adapters of the backplane', () => {
    const knows = (adapter: string) =>
      new Set(
        IMPORTS.filter(({ target }) => target.includes(`/backplane/${adapter}/`)).map(({ file }) => file),
      );
    const outside = (file: string) => !file.includes('/backplane/');
    const both = [...knows('redis')].filter((file) => outside(file) && knows('memory').has(file));
    expect(both).toEqual(['services/signaling/assemble.ts']);
  });

  test('domain has no clock, no chance and no timers of its own', () => {
    const impure =
      /\b(Date|Math\.random|performance|process|setTimeout|setInterval|setImmediate|crypto|console)\b[.(]/;
    for (const file of SOURCES.filter((each) => each.startsWith('services/signaling/domain/'))) {
      expect(`${file}: ${impure.exec(readFileSync(join(ROOT, file), 'utf8'))?.[0]}`).toBe(
        `${file}: undefined`,
      );
    }
  });
});

describe('the documents', () => {
  const docs = globSync('docs/*.md', { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n');

  test.each(Object.keys(ERRORS))('tell of the error code %s', (code) => {
    expect(docs).toContain(`\`${code}\``);
  });

  test.each(Object.keys(SETTINGS.shape))('tell of the setting %s', (setting) => {
    expect(docs).toContain(`\`${setting}\``);
  });

  test('name, in the threat model, tests that are there', () => {
    const named = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8').match(/\btest\/[\w./-]+/g) ?? [];
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('tell of every metric', async () => {
    const metrics = await openMetrics().registry.getMetricsAsJSON();
    for (const { name } of metrics) expect(docs).toContain(`\`${name}\``);
  });
});

describe('the tests', () => {
  const tests = globSync('test/**/*.ts', { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n');
  const rulesOf = (letter: string, count: number) =>
    Array.from({ length: count }, (_, n) => `${letter}${n + 1}`);
  /** What keeps the promises: of requests, of sessions, of the log, of a Redis that lost data; of homes and memory. */
  const rules = [
    ...rulesOf('Q', 4),
    ...rulesOf('C', 9),
    ...rulesOf('D', 8),
    ...rulesOf('R', 7),
    ...rulesOf('H', 3),
  ];

  test.each(rules)('hold the nodes to rule %s', (rule) => {
    expect(tests).toMatch(RegExp(`['"\`]${rule}: `));
  });
});

test('however a node is started, V8 keeps as little for what is new', () => {
  const starts = ['package.json', 'deploy/Dockerfile', 'services/cluster/node-process.ts'];
  for (const file of starts)
    expect(readFileSync(join(ROOT, file), 'utf8'), file).toContain('--max-semi-space-size=16');
});

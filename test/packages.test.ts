import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

interface Floor {
  readonly name: string;
  /** The first release without any of what `why` names. */
  readonly from: string;
  readonly why: string;
}

/** Packages that read what strangers send, and that the backplane's words go through. */
const FLOORS: readonly Floor[] = [
  { name: 'ws', from: '8.17.1', why: 'CVE-2024-37890: many headers in a request end the process' },
  { name: 'ws', from: '8.20.1', why: 'CVE-2026-45736: a close frame can hold memory of the process' },
  { name: 'ws', from: '8.21.0', why: 'CVE-2026-48779: fragments of a byte fill the memory' },
  {
    name: 'ws',
    from: '8.21.1',
    why: 'CVE-2026-62389: empty fragments did not count; the bound was too high',
  },
  { name: 'engine.io', from: '6.4.2', why: 'CVE-2023-31125: a request ends the process' },
  {
    name: 'engine.io',
    from: '6.6.7',
    why: 'CVE-2026-59724, CVE-2026-59725: session __proto__; binary POSTs',
  },
  { name: 'socket.io-parser', from: '4.2.3', why: 'CVE-2023-32695: a packet ends the process' },
  { name: 'socket.io-parser', from: '4.2.6', why: 'CVE-2026-33151: attachments without a bound' },
  { name: 'socket.io-parser', from: '4.2.7', why: 'CVE-2026-69185: packets that announce no attachments' },
  { name: 'socket.io', from: '4.6.2', why: "CVE-2024-38355: an event named 'error' ends the process" },
  {
    name: 'socket.io-adapter',
    from: '2.5.7',
    why: 'CVE-2026-45736: releases before bring an older ws along',
  },
  {
    name: '@socket.io/redis-adapter',
    from: '8.3.0',
    why: 'no advisory is known: the release that all was tried with',
  },
  { name: 'fastify', from: '5.3.2', why: 'CVE-2025-32442: a content type gets round the schema' },
  { name: 'fastify', from: '5.8.5', why: 'CVE-2026-25223, CVE-2026-33806: the same by a TAB, by a blank' },
  {
    name: 'fastify',
    from: '5.12.2',
    why: 'GHSA-9q9j-q6p8-xq58, -hwr6-493r-vm6h, -p68q-wchp-6fh7, -667r-xxjv-c9mm',
  },
  { name: 'fastify', from: '5.12.5', why: 'GHSA-4mh8-r7rc-xpvc' },
  { name: 'ioredis', from: '6.0.0', why: 'a MOVED of a hostile Redis writes to Array.prototype' },
];

interface Copy {
  readonly path: string;
  readonly name: string;
  readonly version: string;
}

/** Every copy of a package in the lock file, wherever it lies. */
function copies(lockFile: string): Copy[] {
  const { packages } = JSON.parse(lockFile) as { packages: Record<string, { version?: string }> };
  return Object.entries(packages).map(([path, { version = '' }]) => {
    return { path, name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length), version };
  });
}

const LOCKED = copies(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));

describe('every copy of a package in the lock file is at or above its floor', () => {
  test.each(FLOORS)('$name $from: $why', ({ name, from }) => {
    const own = LOCKED.filter((copy) => copy.name === name);
    expect(own).not.toEqual([]);
    expect(own.filter(({ version }) => isBelow(version, from))).toEqual([]);
  });

  test('the copy of ws inside engine.io is among them, and so is each that is installed', () => {
    const paths = LOCKED.filter(({ name }) => name === 'ws').map(({ path }) => path);
    expect(paths).toContain('node_modules/engine.io/node_modules/ws');
    for (const { name } of FLOORS)
      for (const { path, version } of LOCKED.filter((copy) => copy.name === name)) {
        const manifest = readFileSync(new URL(`../${path}/package.json`, import.meta.url), 'utf8');
        expect([path, JSON.parse(manifest).version]).toEqual([path, version]);
      }
  });
});

test.each([
  ['8.21.0', true],
  ['8.9.9', true],
  ['7.99.99', true],
  ['8.21.1-rc.1', true],
  ['', true],
  ['8.21.1', false],
  ['8.21.10', false],
  ['8.100.0', false],
  ['9.0.0', false],
])('%j is below 8.21.1: %s', (version, isLower) => {
  expect(isBelow(version, '8.21.1')).toBe(isLower);
});

/** A release that is yet to come counts as below it, and so does what is no version. */
function isBelow(version: string, floor: string): boolean {
  const [release = '', candidate] = version.split('-', 2);
  const own = release.split('.').map(Number);
  for (const [index, least] of floor.split('.').map(Number).entries()) {
    const part = own[index] ?? Number.NaN;
    if (part !== least) return !(part > least);
  }
  return candidate !== undefined;
}

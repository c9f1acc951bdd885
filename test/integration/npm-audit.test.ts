import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Audit, audit, readAudit } from '../support/audit.ts';
import { freePort } from '../support/ports.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('npm, asked for advisories of what a node is made of', () => {
  test('names one that is moderate or worse, with the copy of ws inside engine.io looked at', async () => {
    const asked = await auditAgainst({ ws: [advisory('moderate')], fastify: [advisory('low')] });
    expect(asked).toMatchObject({ type: 'asked' });
    const { known } = asked as Audit & { type: 'asked' };
    const ofWs = known.find((each) => each.startsWith('ws (moderate): A title https://advisories.example/1'));
    expect(ofWs).toContain('node_modules/engine.io/node_modules/ws');
    expect(known.join()).not.toContain('fastify');
  });

  test('names none where none is known', async () => {
    expect(await auditAgainst({})).toEqual({ type: 'asked', known: [] });
  });

  test('tells that it could not ask, where no registry answers', async () => {
    const registry = `http://127.0.0.1:${await freePort()}`;
    expect(await audit(ROOT, environmentFor(registry))).toEqual({
      type: 'unasked',
      why: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('tells that it could not ask, where a registry knows no advisories', async () => {
    const refusing = createServer((_, response) => response.writeHead(405).end());
    expect(await audit(ROOT, environmentFor(await listening(refusing)))).toEqual({
      type: 'unasked',
      why: expect.stringContaining('405'),
    });
  });
});

test.each(['', 'npm error', 'null', '7', '{}', '[]'])('a report of %j counts as not asked', (text) => {
  expect(readAudit(text)).toMatchObject({ type: 'unasked' });
});

function advisory(severity: string) {
  return {
    id: 1,
    url: 'https://advisories.example/1',
    title: 'A title',
    severity,
    vulnerable_versions: '<1000',
  };
}

/** A registry that has these advisories, and of each package the versions that it was asked for. */
async function auditAgainst(advisories: Readonly<Record<string, readonly object[]>>): Promise<Audit> {
  let asked: Readonly<Record<string, readonly string[]>> = {};
  const registry = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      if (request.method === 'POST') {
        const isZipped = request.headers['content-encoding'] === 'gzip';
        asked = JSON.parse((isZipped ? gunzipSync(body) : body).toString());
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(advisories));
        return;
      }
      const name = decodeURIComponent((request.url ?? '').slice(1));
      const versions = (asked[name] ?? []).map((version) => [version, { name, version }]);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ name, 'dist-tags': {}, versions: Object.fromEntries(versions) }));
    });
  });
  return audit(ROOT, environmentFor(await listening(registry)));
}

/** With a cache of its own, so that npm takes nothing for known that another registry said. */
function environmentFor(registry: string): NodeJS.ProcessEnv {
  const cache = mkdtempSync(join(tmpdir(), 'npm-audit-'));
  onTestFinished(() => rmSync(cache, { recursive: true, force: true }));
  return {
    ...process.env,
    npm_config_registry: registry,
    npm_config_fetch_retries: '0',
    npm_config_cache: cache,
  };
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

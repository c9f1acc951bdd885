import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { consoleRoutes } from '../../../services/signaling/http/console.ts';

/** The operators' listener with pages as vite builds them. */
async function serverOf(files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), 'fenghuo-test-console-'));
  mkdirSync(join(root, 'assets'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  const server = fastify();
  await server.register(consoleRoutes(root));
  onTestFinished(async () => {
    await server.close();
    rmSync(root, { recursive: true });
  });
  return server;
}

test('the console comes with its assets and a policy under which nothing else is loaded, run or framed', async () => {
  const server = await serverOf({
    'console.html': '<p>console</p>',
    'index.html': '<p>call</p>',
    'beacon.svg': '<svg/>',
    'assets/console-1.js': 'run()',
  });
  for (const path of ['/console', '/assets/console-1.js', '/beacon.svg']) {
    const answer = await server.inject(path);
    expect(answer.statusCode).toBe(200);
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("; script-src 'self'; style-src 'self'; img-src 'self' data:;");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(answer.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'permissions-policy': expect.stringContaining('camera=()'),
    });
  }
  expect((await server.inject('/console')).body).toContain('console');
  expect((await server.inject('/console')).headers['content-type']).toContain('text/html');
  expect((await server.inject('/console/')).headers.location).toBe('/console');
});

test('the call page is not there, nor anything beside the built pages', async () => {
  const server = await serverOf({ 'console.html': '', 'index.html': '<p>call</p>' });
  for (const path of [
    '/',
    '/index.html',
    '/assets/../index.html',
    '/assets/%2e%2e/index.html',
    '/../package.json',
  ])
    expect((await server.inject(path)).body).not.toContain('call');
});

test('where the console is not built, that is said, with the cure', async () => {
  const server = await serverOf({});
  const answer = await server.inject('/console');
  expect(answer.statusCode).toBe(404);
  expect(answer.body).toContain('npm run build');
});

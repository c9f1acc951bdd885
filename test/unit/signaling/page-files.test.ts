import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { servePageFiles } from '../../../services/signaling/http/page-files.ts';

const root = mkdtempSync(join(tmpdir(), 'fenghuo-page-'));
let server: FastifyInstance;
beforeAll(() => {
  mkdirSync(join(root, 'assets'));
  writeFileSync(join(root, 'index.html'), '<p>Hello</p>');
  writeFileSync(join(root, 'assets', 'call.js'), 'call()');
  server = fastify();
  servePageFiles(server, root, (path) => !path.endsWith('.html'));
  rmSync(root, { recursive: true });
});
afterAll(() => server.close());

test('files are served as they were at the start, with no file open', async () => {
  const before = readdirSync('/proc/self/fd').length;
  const answer = await server.inject('/assets/call.js');
  expect([answer.statusCode, answer.body]).toEqual([200, 'call()']);
  expect(answer.headers['content-type']).toBe('text/javascript; charset=utf-8');
  expect(readdirSync('/proc/self/fd').length).toBe(before);
});

test('who has a file already is told so, and HEAD brings no body', async () => {
  const { headers } = await server.inject('/assets/call.js');
  const known = { 'if-none-match': String(headers.etag) };
  const again = await server.inject({ url: '/assets/call.js', headers: known });
  expect([again.statusCode, again.body]).toEqual([304, '']);
  expect((await server.inject({ method: 'HEAD', url: '/assets/call.js' })).body).toBe('');
});

test.each(['/index.html', '/assets', '/assets/..%2findex.html', '/assets/other.js'])(
  '%s is not there',
  async (url) => {
    expect((await server.inject(url)).statusCode).toBe(404);
  },
);

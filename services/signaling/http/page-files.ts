import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** The media types of what the build makes. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json; charset=utf-8',
};
const ANY_TYPE = 'application/octet-stream';

/**
 * Serves the files of a folder from memory, those in its folders too. A stream for each answer would hold a file open for as
 * long as its client does not read, and for ever where the connection becomes a WebSocket before that.
 */
export function servePageFiles(
  server: FastifyInstance,
  root: string,
  isServed: (path: string) => boolean,
): void {
  if (!existsSync(root)) return;
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    const file = join(entry.parentPath, entry.name);
    const path = file.slice(root.length).replaceAll('\\', '/');
    if (entry.isFile() && isServed(path)) server.get(path, pageFile(file));
  }
}

/** Answers with a file as it was at the start, or with 304 to whoever has it (RFC 9110, 13.1.2). */
export function pageFile(file: string) {
  const body = readFileSync(file);
  const headers = {
    'content-type': TYPES[extname(file)] ?? ANY_TYPE,
    'cache-control': 'public, max-age=0',
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`,
  };
  return async (request: FastifyRequest, reply: FastifyReply) => {
    reply.headers(headers);
    const isKnown = request.headers['if-none-match']?.includes(headers.etag) ?? false;
    return isKnown ? reply.code(304).send() : reply.send(body);
  };
}

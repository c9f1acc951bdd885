import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { COMMON_HEADERS, NOTHING_ALLOWED, permissions } from './headers.ts';
import { pageFile, servePageFiles } from './page-files.ts';

/** The page that bears the operators' token: nothing of it comes from elsewhere, and nothing frames it. */
const CONSOLE_HEADERS = {
  ...COMMON_HEADERS,
  'content-security-policy': `${NOTHING_ALLOWED}; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'`,
  'permissions-policy': permissions([]),
};

const PAGE = 'console.html';

/** The operators' console at /console, with its assets; `root` is the folder of the built pages. */
export function consoleRoutes(root: string) {
  return async (server: FastifyInstance): Promise<void> => {
    server.addHook('onSend', async (_, reply) => void reply.headers(CONSOLE_HEADERS));
    if (!existsSync(join(root, PAGE))) {
      server.get('/console', (_, reply) =>
        reply.code(404).send({ error: 'the console is not built: npm run build' }),
      );
      return;
    }
    // The call page is none of the operators'.
    servePageFiles(server, root, (path) => !path.endsWith('.html'));
    server.get('/console', pageFile(join(root, PAGE)));
    // Its assets are named relative to it.
    server.get('/console/', (_, reply) => reply.redirect('/console'));
  };
}

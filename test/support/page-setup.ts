import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Builds the pages as they are now, once for all tests in browsers: a build empties the folder from which another test's
 * nodes serve. As `npm run build` does it, in a process of its own: vitest's environment would make it a build for tests.
 */
export default async function setup(): Promise<void> {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const vite = ['node_modules/vite/bin/vite.js', 'build', 'services/web', '--logLevel', 'error'];
  const env = { ...process.env, NODE_ENV: 'production' };
  await promisify(execFile)(process.execPath, vite, { cwd: root, env });
}

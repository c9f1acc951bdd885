import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const IMAGE = 'fenghuo/signaling:test';

/** Builds the image as it is now, as docs/operations.md says; what has not changed comes from the engine's cache. */
export async function buildImage(): Promise<void> {
  await docker('build', '--quiet', '--file=deploy/Dockerfile', `--tag=${IMAGE}`, ...LABELS, '.');
}

const LABELS = ['--build-arg=VERSION=1.2.3', '--build-arg=COMMIT=0123abc'];

/** Runs `docker …` in the repository's root. Resolves with what it printed; rejects with what it complained of. */
export async function docker(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)('docker', [...args], { cwd: ROOT, maxBuffer: 64 << 20 })).stdout;
}

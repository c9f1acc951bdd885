import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.ts';

/** One that watches that master by the name `fire`. `lines` are more of its configuration. */
export async function startSentinel(
  master: { readonly host?: string; readonly port: number },
  lines: readonly string[] = [],
): Promise<{ port: number; stop(): void }> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'fenghuo-sentinel-'));
  const file = join(folder, 'sentinel.conf');
  const watched = `sentinel monitor fire ${master.host ?? '127.0.0.1'} ${master.port} 1`;
  const all = ['bind 127.0.0.1', `port ${port}`, `dir ${folder}`, ...lines, watched];
  writeFileSync(file, `${all.join('\n')}\n`);
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  return {
    port,
    stop() {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

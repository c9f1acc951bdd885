import { spawn } from 'node:child_process';

/**
 * Runs a shell script once this process is gone, even by kill -9, unless disarmed before: for what would outlive us and
 * has no way to notice by itself. The arguments are `$0`, `$1`, … in the script.
 */
export function afterOurDeath(script: string, ...args: readonly string[]): { disarm(): void } {
  // The shell waits for the end of its input, which only we hold open; in a group of its own, no Ctrl-C ends it first.
  const guard = spawn('sh', ['-c', `read -r _; ${script}`, ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => {});
  guard.unref();
  return { disarm: () => void guard.kill('SIGKILL') };
}

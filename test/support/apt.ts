import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

import { type Capabilities, probeCapabilities } from './capabilities.ts';

/** Debian's packages behind each capability. Docker is not among them: an engine is the owner's decision. */
const PACKAGES = {
  redisServer: ['redis-server'],
  chromium: ['chromium'],
  turnserver: ['coturn'],
  pythonSocketio: ['python3-socketio', 'python3-websocket'],
  promtool: ['prometheus'],
} as const satisfies Partial<Record<keyof Capabilities, readonly string[]>>;

const POLICY = '/usr/sbin/policy-rc.d';

/** Installs what is missing (as root on Debian or Ubuntu; elsewhere it says what is), and returns what is there then. */
export function installMissing(found: Capabilities, say: (line: string) => void): Capabilities {
  const names = Object.keys(PACKAGES) as (keyof typeof PACKAGES)[];
  const packages = names.filter((name) => !found[name]).flatMap((name) => PACKAGES[name]);
  if (packages.length === 0) return found;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !existsSync('/usr/bin/apt-get') || !existsSync('/etc/debian_version')) {
    const cure = existsSync('/usr/bin/apt-get')
      ? `sudo apt-get install ${packages.join(' ')}`
      : 'install them by hand';
    say(`Missing for some tests: ${packages.join(', ')} (Debian's names). To have all tests run: ${cure}.`);
    return found;
  }
  say(`Installing by apt what the tests need: ${packages.join(' ')}`);
  withoutStartingServices(() => {
    aptGet(['update'], say);
    // One package that this release does not have must not keep the others away.
    if (!aptGet(['install', ...packages], () => {}))
      for (const name of packages) aptGet(['install', name], say);
  });
  return probeCapabilities();
}

function aptGet(args: readonly string[], say: (line: string) => void): boolean {
  const options = ['-qq', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];
  const { status, stderr, error } = spawnSync('apt-get', [...options, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status === 0) return true;
  say(`apt-get ${args.join(' ')} failed: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? status}`);
  return false;
}

/** Debian starts a server once it is installed; ours are started by the tests, on ports of their own. */
function withoutStartingServices(install: () => void): void {
  const isOurs = !existsSync(POLICY);
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    if (isOurs) rmSync(POLICY, { force: true });
  }
}

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What this machine has beyond Node: tests of a part that it lacks are skipped, and `npm test` names that part. */
export interface Capabilities {
  /** redis-server (or valkey-server) and redis-cli: a Redis that a test may freeze, kill and restart. */
  readonly redisServer: boolean;
  /** Debian's chromium or another Chrome; its path. */
  readonly chromium: string | false;
  /** coturn. */
  readonly turnserver: boolean;
  /** python3-socketio and python3-websocket: a client that shares no code with ours; the Python's path. */
  readonly pythonSocketio: string | false;
  readonly promtool: boolean;
  /** One that renders kustomize components, which Debian's own (1.20) does not. */
  readonly kubectl: boolean;
  /** A Docker engine that answers. */
  readonly docker: boolean;
}

/** Set by test/run.ts, which has looked already. */
export const CAPABILITIES_VARIABLE = 'FENGHUO_TEST_CAPABILITIES';

const PROBES: { readonly [Name in keyof Capabilities]: () => Capabilities[Name] } = {
  redisServer: () => {
    const server = onPath('redis-server') ?? onPath('valkey-server');
    return server !== undefined && onPath('redis-cli') !== undefined;
  },
  chromium: () => onPath('chromium') ?? onPath('chromium-browser') ?? onPath('google-chrome') ?? false,
  turnserver: () => onPath('turnserver') !== undefined,
  pythonSocketio: () => {
    // Debian's packages belong to Debian's Python, whichever comes first on the PATH.
    const pythons = ['/usr/bin/python3', onPath('python3')].filter((python) => python !== undefined);
    return pythons.find((python) => succeeds(python, ['-c', 'import socketio, websocket'])) ?? false;
  },
  promtool: () => onPath('promtool') !== undefined,
  kubectl: () => kustomizeVersion() >= 5,
  docker: () =>
    onPath('docker') !== undefined && succeeds('docker', ['version', '--format', '{{.Server.Version}}']),
};

/** Looks for everything anew. */
export function probeCapabilities(): Capabilities {
  const found = Object.entries(PROBES).map(([name, probe]) => [name, probe()]);
  return Object.fromEntries(found) as Capabilities;
}

/** `describe.skipIf(!capabilities.chromium)`: each is looked for once, when it is first asked for. */
export const capabilities: Capabilities = lazily();

function lazily(): Capabilities {
  const told = process.env[CAPABILITIES_VARIABLE];
  if (told) return JSON.parse(told) as Capabilities;
  const known = new Map<string, unknown>();
  return new Proxy({} as Capabilities, {
    get: (_, name) => {
      if (typeof name !== 'string' || !(name in PROBES)) return undefined;
      if (!known.has(name)) known.set(name, PROBES[name as keyof Capabilities]());
      return known.get(name);
    },
  });
}

function onPath(name: string): string | undefined {
  // Debian keeps some servers where only root's PATH looks.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].filter(Boolean);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The major version of kubectl's own kustomize; 0 where there is none that tells. */
function kustomizeVersion(): number {
  if (onPath('kubectl') === undefined) return 0;
  const { stdout } = spawnSync('kubectl', ['version', '--client'], { encoding: 'utf8', timeout: 10_000 });
  return Number(/Kustomize Version: v(\d+)/.exec(stdout ?? '')?.[1] ?? 0);
}

function succeeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

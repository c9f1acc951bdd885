import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterOurDeath, freePort } from '@fenghuo/cluster';

import { IMAGE, ROOT } from './image.ts';

export const NODES = ['beijing-1', 'beijing-2', 'shanghai-1', 'shanghai-2'] as const;
export type NodeName = (typeof NODES)[number];

/** What docker-compose.yml starts, under a name, on ports and with secrets of its own. */
export interface ComposeCluster {
  /** Through HAProxy. */
  readonly url: string;
  readonly tlsUrl: string;
  readonly prometheusUrl: string;
  readonly alertmanagerUrl: string;
  opsUrl(node: NodeName): string;
  secret(name: string): string;
  /** Runs `docker compose …` on it; resolves with what it printed. */
  compose(...args: readonly string[]): Promise<string>;
  docker(...args: readonly string[]): Promise<string>;
  /** Runs `deploy/roll` on it. */
  roll(...nodes: readonly NodeName[]): Promise<void>;
  /** Runs `deploy/rotate` on it. */
  rotate(...args: readonly string[]): Promise<void>;
  readonly turnPort: string;
  /** Whether the node takes clients. */
  isReady(node: NodeName): Promise<boolean>;
  /** A figure that HAProxy tells of its clients' frontend: `current_sessions`. */
  frontend(figure: string): Promise<number>;
  /** Removes everything, volumes and secrets included. */
  stop(): Promise<void>;
}

const PORTS = {
  http: 'HTTP_PORT',
  https: 'HTTPS_PORT',
  prometheus: 'PROMETHEUS_PORT',
  alertmanager: 'ALERTMANAGER_PORT',
  turn: 'TURN_PORT',
  relays: 'TURN_RELAY_PORTS',
  'beijing-1': 'BEIJING_1_OPS_PORT',
  'beijing-2': 'BEIJING_2_OPS_PORT',
  'shanghai-1': 'SHANGHAI_1_OPS_PORT',
  'shanghai-2': 'SHANGHAI_2_OPS_PORT',
} as const;
const RELAYS = 20;

/** `deploy/init && docker compose up --wait`, with the image that was built. */
export async function composeUp(settings: Readonly<Record<string, string>>): Promise<ComposeCluster> {
  const project = `fenghuo-test-${randomBytes(4).toString('hex')}`;
  const secrets = mkdtempSync(join(tmpdir(), 'fenghuo-secrets-'));
  const ports = await distinctPorts();
  const env = {
    ...process.env,
    ...settings,
    ...Object.fromEntries(Object.entries(PORTS).map(([name, variable]) => [variable, `${ports[name]}`])),
    TURN_RELAY_PORTS: `${ports.relays}-${Number(ports.relays) + RELAYS - 1}`,
    PUBLIC_URL: `http://localhost:${ports.http}`,
    STORE_NET: `10.${randomInt(200, 250)}.${randomInt(1, 255)}`,
    COMPOSE_PROJECT_NAME: project,
    SECRETS_DIR: secrets,
    SIGNALING_IMAGE: IMAGE,
  };
  const run = async (file: string, args: readonly string[]) =>
    (await promisify(execFile)(file, args, { cwd: ROOT, env, maxBuffer: 64 << 20 })).stdout;
  const compose = (...args: readonly string[]) => run('docker', ['compose', '--progress=quiet', ...args]);
  const guard = afterOurDeath(
    'docker compose -p "$0" down --volumes --timeout 0; rm -rf "$1"',
    project,
    secrets,
  );
  const stop = async () => {
    await compose('down', '--volumes', '--timeout=0');
    rmSync(secrets, { recursive: true, force: true });
    guard.disarm();
  };
  const opsUrl = (node: NodeName) => `http://127.0.0.1:${ports[node]}`;
  try {
    await run('deploy/init', []);
    await compose('up', '--detach', '--wait', '--no-build');
  } catch (error) {
    const logs = await compose('logs', '--tail=20').catch(() => '');
    await stop();
    throw new Error(`${(error as Error).message}\n${logs}`);
  }
  return {
    url: `http://localhost:${ports.http}`,
    tlsUrl: `https://localhost:${ports.https}`,
    prometheusUrl: `http://127.0.0.1:${ports.prometheus}`,
    alertmanagerUrl: `http://127.0.0.1:${ports.alertmanager}`,
    opsUrl,
    secret: (name) => readFileSync(join(secrets, name), 'utf8').trim(),
    compose,
    isReady: (node) =>
      fetch(`${opsUrl(node)}/readyz`, { signal: AbortSignal.timeout(1_000) }).then(
        ({ ok }) => ok,
        () => false,
      ),
    async frontend(figure) {
      const metrics = await compose('exec', '-T', 'beijing-1', 'node', '-e', PRINT_BALANCER_METRICS);
      const name = `haproxy_frontend_${figure}{proxy="clients"} `;
      const line = metrics.split('\n').find((each) => each.startsWith(name));
      return Number(line?.slice(name.length));
    },
    rotate: async (...args) => void (await run('deploy/rotate', args)),
    turnPort: `${ports.turn}`,
    docker: (...args) => run('docker', args),
    roll: async (...nodes) => void (await run('deploy/roll', nodes)),
    stop,
  };
}

/** Its metrics are published to nobody outside. */
const PRINT_BALANCER_METRICS =
  "fetch('http://haproxy:8405/metrics').then((reply) => reply.text()).then((text) => process.stdout.write(text))";

async function distinctPorts(): Promise<Record<string, number>> {
  const ports: Record<string, number> = {};
  for (const name of Object.keys(PORTS)) {
    let port = await freePort();
    while (Object.values(ports).some((taken) => Math.abs(taken - port) <= RELAYS)) port = await freePort();
    ports[name] = port;
  }
  return ports;
}

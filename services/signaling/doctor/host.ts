import { createServer } from 'node:net';
import type { Settings } from '../config.ts';
import { capacityOf, FILES_BESIDES } from '../domain/capacity.ts';
import { openFilesMax } from '../open-files.ts';
import { type Finding, fault, ok, reasonOf } from './finding.ts';

const ASK_MS = 1_000;

/** Whether this process could hold as many connections as a node is told to take. */
export function checkOpenFiles({ CONNECTIONS_MAX }: Partial<Settings>): Finding[] {
  const check = 'open files';
  const limit = openFilesMax();
  if (CONNECTIONS_MAX === undefined || limit === undefined) return [];
  const needed = capacityOf(CONNECTIONS_MAX).sockets + FILES_BESIDES;
  if (limit >= needed)
    return [ok(check, `${limit} may be open, CONNECTIONS_MAX=${CONNECTIONS_MAX} needs ${needed}`)];
  const text = `only ${limit} may be open, and CONNECTIONS_MAX=${CONNECTIONS_MAX} needs ${needed}: the node takes fewer`;
  const cure = `ulimit -n ${needed}; LimitNOFILE=${needed} (systemd); --ulimit nofile=${needed} (Docker); or CONNECTIONS_MAX=${capacityOf(CONNECTIONS_MAX, limit).connections}`;
  return [fault(check, text, cure)];
}

/** Whether a node could listen, or already does. */
export async function checkPorts(settings: Partial<Settings>): Promise<Finding[]> {
  const { HOST, PORT, OPS_HOST, OPS_PORT } = settings;
  const listeners = [
    { name: 'PORT', host: HOST, port: PORT },
    { name: 'OPS_PORT', host: OPS_HOST, port: OPS_PORT },
  ];
  const isOurs = await isOneOfOurs(OPS_HOST, OPS_PORT);
  const findings = await Promise.all(listeners.map((listener) => checkPort(listener, isOurs)));
  return findings.flat();
}

interface Listener {
  readonly name: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
}

async function checkPort({ name, host, port }: Listener, isOurs: boolean): Promise<Finding[]> {
  const check = 'ports';
  if (host === undefined || port === undefined) return [];
  const where = `${name} ${host}:${port}`;
  if (port === 0) return [ok(check, `${name}=0: any free one`)];
  const code = await bindingFails(host, port);
  if (code === undefined) return [ok(check, `${where} is free`)];
  if (code === 'EADDRINUSE' && isOurs) return [ok(check, `${where} is in use, by a node that runs here`)];
  if (code === 'EADDRINUSE')
    return [
      fault(
        check,
        `${where} is in use by something else`,
        `find it: ss -ltnp 'sport = :${port}'; or set ${name}`,
      ),
    ];
  if (code === 'EACCES')
    return [
      fault(
        check,
        `${where} needs more rights than this user has`,
        `${name}=${port + 8_000}, behind a balancer`,
      ),
    ];
  const cure = `give an address of this machine (ip address), or 0.0.0.0`;
  return [fault(check, `nothing can listen on ${where}: ${code}`, cure)];
}

function bindingFails(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(reasonOf(error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** A node says so of itself in its metrics. */
export async function isOneOfOurs(host: string | undefined, port: number | undefined): Promise<boolean> {
  if (host === undefined || !port) return false;
  const address = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  try {
    const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}/metrics`;
    const response = await fetch(url, { signal: AbortSignal.timeout(ASK_MS), redirect: 'error' });
    return (await response.text()).includes('signaling_build_info');
  } catch {
    return false;
  }
}

import { createServer } from 'node:net';

import type { NodePlan } from './node-plan.ts';
import { StartFailure } from './start-failure.ts';

/** Below the ports that systems give to outgoing connections, so that none of those takes one between two uses. */
const FREE_PORT_MIN = 20_000;
const FREE_PORTS = 10_000;
const FREE_PORT_TRIES = 50;

/** A port of this machine that is free now, as the others after it are, and likely stays so while its server restarts. */
export async function freePort(host = '127.0.0.1', inARow = 1): Promise<number> {
  for (let count = 0; count < FREE_PORT_TRIES; count += 1) {
    const first = FREE_PORT_MIN + Math.floor(Math.random() * FREE_PORTS);
    const ports = Array.from({ length: inARow }, (_, n) => first + n);
    const bound = await Promise.all(ports.map((port) => bind(port, host)));
    if (bound.every((each) => 'port' in each)) return first;
  }
  throw new Error(`no free port on ${host} from ${FREE_PORT_MIN} on`);
}

/** Throws a StartFailure that names the first port which a node could not listen on, and the cure. */
export async function requireFreePorts(plans: readonly NodePlan[]): Promise<void> {
  for (const plan of plans) {
    await requireFreePort(plan.host, plan.port, `the client port of node ${plan.nodeId}`, '--port 4001');
    await requireFreePort(
      plan.opsHost,
      plan.opsPort,
      `the operators' port of node ${plan.nodeId}`,
      '--ops-port 9201',
    );
  }
}

async function requireFreePort(host: string, port: number, what: string, example: string): Promise<void> {
  const bound = await bind(port, host);
  if ('port' in bound) return;
  if (bound.code === 'EADDRINUSE') {
    throw new StartFailure(
      `port ${port}, ${what}, is in use; stop what listens there, or take others: npm start -- ${example}`,
    );
  }
  if (bound.code === 'EACCES') {
    throw new StartFailure(
      `port ${port}, ${what}, needs more rights than you have; take others: npm start -- ${example}`,
    );
  }
  throw new StartFailure(
    `cannot listen on ${host}:${port}, ${what} (${bound.code}); set HOST to an address of this machine.`,
  );
}

function bind(port: number, host: string): Promise<{ port: number } | { code: string }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? error.message }));
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() =>
        resolve({ port: typeof address === 'object' && address !== null ? address.port : port }),
      );
    });
  });
}

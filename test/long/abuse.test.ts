import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { connect } from '../support/plain-client.ts';
import { freePort } from '../support/ports.ts';

const MAIN = fileURLToPath(new URL('../../services/signaling/main.ts', import.meta.url));
const WARM_UP = 20_000;
const MALFORMED = 100_000;
/** Of one connection, and no more of it: `refusals` are bounded. */
const AT_ONCE = 150;
const GROWTH_BYTES_MAX = 24 * 1_048_576;

const PAYLOADS: [string, unknown][] = [
  ['signal', { id: 'x', to: 5 }],
  ['signal', JSON.parse('{"__proto__":{"id":1},"id":-1}')],
  ['message', { id: 2, topic: ' '.repeat(1_000), data: [] }],
  ['update', { id: 2, name: 'n'.repeat(500) }],
  ['join', { id: 1, room: '{}', metadata: [[[[[[]]]]]] }],
  ['unheard-of', { a: 'b' }],
  ['leave', null],
  ['message', { id: 2, topic: 'a', data: Buffer.alloc(100) }],
];

test('the memory of a node stays flat over 100,000 malformed requests, each of which is answered', async () => {
  const port = await freePort();
  const child = spawn(process.execPath, ['--max-old-space-size=128', MAIN], {
    env: {
      PATH: process.env.PATH,
      AUTH: 'open',
      HOST: '127.0.0.1',
      PORT: String(port),
      OPS_PORT: '0',
      // All of them come from one address, which would be closed too.
      ADDRESS_PEERS_MAX: '0',
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let faults = '';
  child.stderr.on('data', (chunk) => {
    faults += chunk;
  });
  try {
    const url = `http://127.0.0.1:${port}`;
    await eventually(() => connect(url).then((client) => client.close()), {
      timeoutMs: 20_000,
      everyMs: 200,
    });
    /** On ever new connections: one that sends nothing else would be closed. */
    const flood = async (requests: number) => {
      for (let sent = 0; sent < requests; sent += AT_ONCE) {
        const client = await connect(url);
        const replies = await Promise.all(
          Array.from({ length: AT_ONCE }, (_, n) => {
            const [name, payload] = PAYLOADS[(sent + n) % PAYLOADS.length] as [string, unknown];
            return client.ask(name, payload);
          }),
        );
        expect(
          replies.every((reply) => !reply.ok && /^(invalid|unknown)_request$/.test(reply.error.code)),
        ).toBe(true);
        client.close();
      }
    };
    await flood(WARM_UP);
    const before = residentBytes(child.pid);
    await flood(MALFORMED);
    expect(residentBytes(child.pid) - before).toBeLessThan(GROWTH_BYTES_MAX);
    const client = await connect(url);
    await client.join('blue');
    expect(await client.ask('message', { id: 2, topic: 'a', data: 1 })).toMatchObject({ ok: true });
    client.close();
    expect(faults).toBe('');
  } finally {
    child.kill('SIGKILL');
  }
}, 120_000);

function residentBytes(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024;
}

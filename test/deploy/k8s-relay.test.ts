import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { capabilities } from '../support/capabilities.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/ports.ts';

const run = promisify(execFile);
const COMPONENT = fileURLToPath(new URL('../../k8s/components/coturn', import.meta.url));
const NEW = 'a-new-secret-that-is-hard-to-guess';
const OLD = 'an-old-secret-that-is-hard-to-guess';

test.skipIf(!capabilities.turnserver)(
  "coturn takes both secrets of a rotation, and relays into no network that is the machine's own",
  async () => {
    const port = await startCoturn();
    const peers = ['10.0.0.1', '172.16.0.1', '192.168.7.7', '100.64.0.1', '169.254.169.254'];
    const answers = peers.map((peer, n) => relayTo(peer, port, n % 2 === 0 ? NEW : OLD));
    for (const said of await Promise.all(answers)) expect(said).toContain('error 403 (Forbidden IP)');
    const stranger = await relayTo('10.0.0.1', port, 'a-secret-of-somebody-else-entirely');
    expect(stranger).toContain('Cannot complete Allocation');
  },
);

/** As the pod starts it, on loopback: its own configuration and script. */
async function startCoturn(): Promise<number> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'fenghuo-coturn-'));
  const [secrets, work] = [join(folder, 'secrets'), join(folder, 'run')];
  for (const each of [secrets, work]) mkdirSync(each);
  writeFileSync(join(secrets, 'TURN_SECRET'), `${NEW} ${OLD}\n`);
  const child = spawn(
    'sh',
    [
      join(COMPONENT, 'start.sh'),
      ...['--verbose', '-L', '127.0.0.1', '-E', '127.0.0.1', `--listening-port=${port}`],
      ...[`--pidfile=${join(work, 'pid')}`, `--userdb=${join(work, 'turndb')}`],
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PATH: `${process.env.PATH}:/usr/sbin`,
        EXTERNAL_IP: '127.0.0.1',
        CONFIG: COMPONENT,
        SECRETS: secrets,
        RUN: work,
      },
    },
  );
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (log += text));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  await eventually(() => /UDP listener opened on\s*:\s*127\.0\.0\.1/i.test(log), { what: `coturn listens` });
  return port;
}

/** What coturn's own client says when it asks for a relay to somebody. */
async function relayTo(peer: string, port: number, secret: string): Promise<string> {
  const args = [
    '-W',
    secret,
    '-u',
    peer,
    '-e',
    peer,
    '-p',
    String(port),
    '-n',
    '1',
    '-m',
    '1',
    '-c',
    '-y',
    '127.0.0.1',
  ];
  const { stdout, stderr } = await run('turnutils_uclient', args, { timeout: 10_000 }).catch(
    (error) => error,
  );
  return `${stdout}${stderr}`;
}

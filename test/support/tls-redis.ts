import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { freePort } from './ports.ts';
import { type LocalRedis, startLocalRedis } from './redis.ts';

const run = promisify(execFile);

/** A certificate for one name, in files. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
  remove(): void;
}

/** Made anew, and trusted by this process from now on. */
export async function trustedCertificate(name: string): Promise<Certificate> {
  const folder = mkdtempSync(join(tmpdir(), 'fenghuo-cert-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const made = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    key,
    '-out',
    cert,
  ];
  const says = ['-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  await run('openssl', ['req', '-x509', ...made, ...says]);
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(cert, 'utf8')]);
  return { key, cert, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Of redis-server, to speak TLS at that port, and ask clients for no certificate. */
export function tlsArgs(port: number, { key, cert }: Certificate): string[] {
  const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert];
  return ['--tls-port', String(port), ...files, '--tls-auth-clients', 'no'];
}

/** A Cluster of one master that holds all slots. */
export async function startClusterOfOne(args: readonly string[], announced: string): Promise<LocalRedis> {
  // By itself it would take the port that is 10,000 higher, which may be somebody's.
  const enabled = [
    '--cluster-enabled',
    'yes',
    '--cluster-port',
    String(await freePort()),
    '--tls-cluster',
    'yes',
  ];
  const byAddress = ['--cluster-announce-ip', '127.0.0.1'];
  const byName = ['--cluster-announce-hostname', announced, '--cluster-preferred-endpoint-type', 'hostname'];
  const redis = await startLocalRedis({
    args: [...enabled, ...byAddress, ...(announced === '' ? [] : byName), ...args],
  });
  await run('redis-cli', ['-p', String(redis.port), 'CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
  return redis;
}

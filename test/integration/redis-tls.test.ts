import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Finding } from '../../services/signaling/doctor/finding.ts';
import { doctor } from '../../services/signaling/doctor/index.ts';
import { parseConfig, startNode } from '../../services/signaling/index.ts';
import { capabilities } from '../support/capabilities.ts';
import { startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connect } from '../support/plain-client.ts';
import { freePort } from '../support/ports.ts';
import { startLocalRedis } from '../support/redis.ts';
import { startSentinel } from '../support/sentinel.ts';
import { type Certificate, startClusterOfOne, tlsArgs, trustedCertificate } from '../support/tls-redis.ts';

const PASSWORD = 'pW9vXk3TzQ7mLs2JdRb6HcYf4NgA8eUx';
const closing: (() => unknown)[] = [];
let here: Certificate;
let elsewhere: Certificate;

beforeAll(async () => {
  if (!capabilities.redisServer) return;
  here = await trustedCertificate('localhost');
  elsewhere = await trustedCertificate('elsewhere.example');
  closing.push(here.remove, elsewhere.remove);
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** Each a Redis with that certificate, and the port at which it speaks TLS. */
const servers = {
  async standalone(certificate: Certificate, ...args: string[]): Promise<number> {
    const port = await freePort();
    const redis = await startLocalRedis({ args: [...tlsArgs(port, certificate), ...args] });
    closing.push(redis.stop);
    return port;
  },
  async cluster(certificate: Certificate, announced = ''): Promise<number> {
    const port = await freePort();
    const redis = await startClusterOfOne(tlsArgs(port, certificate), announced);
    closing.push(redis.stop);
    return port;
  },
  async sentinel(certificate: Certificate, master: { readonly host: string; readonly port: number }) {
    const port = await freePort();
    const lines = tlsArgs(port, certificate)
      .join(' ')
      .split(' --')
      .map((line) => line.replace(/^--/, ''));
    const names =
      master.host === 'localhost'
        ? ['sentinel resolve-hostnames yes', 'sentinel announce-hostnames yes']
        : [];
    const sentinel = await startSentinel(master, [...lines, 'tls-replication yes', ...names]);
    closing.push(sentinel.stop);
    return port;
  },
};

describe.skipIf(!capabilities.redisServer)('a Redis whose certificate names its host', () => {
  test.each([
    ['standalone', async () => `rediss://localhost:${await servers.standalone(here)}`],
    [
      'a Cluster that announces names',
      async () => `rediss+cluster://localhost:${await servers.cluster(here, 'localhost')}`,
    ],
    [
      'a Cluster that announces addresses',
      async () => `rediss+cluster://localhost:${await servers.cluster(here)}`,
    ],
    [
      'a Sentinel that announces names',
      async () => {
        const port = await servers.standalone(here);
        return `rediss+sentinel://localhost:${await servers.sentinel(here, { host: 'localhost', port })}/fire`;
      },
    ],
    [
      'a Sentinel that announces addresses',
      async () => {
        const port = await servers.standalone(here);
        return `rediss+sentinel://localhost:${await servers.sentinel(here, { host: '127.0.0.1', port })}/fire`;
      },
    ],
  ])('serves nodes: %s', async (_, start) => {
    const cluster = await startCluster({ redisUrl: await start() });
    const [ann, bob] = [await connect(cluster.nodes[0].url), await connect(cluster.nodes[1].url)];
    await ann.join('blue');
    const { self } = await bob.join('blue');
    await ann.request('signal', { to: self.id, candidate: null });
    expect(await bob.next('signal')).toMatchObject({ candidate: null });
    for (const each of [ann, bob]) each.close();
    await cluster.stop();
  });
});

describe.skipIf(!capabilities.redisServer)('why Redis cannot be reached', () => {
  const WITH_PASSWORD = `fenghuo:${PASSWORD}@`;
  /** Longer than a label may be, so no resolver is asked and waited for. */
  const NO_NAME = `${'n'.repeat(64)}.invalid`;
  const OTHER_NAME = /altnames|does not match/;
  const MODES = [
    ['', ''],
    ['+sentinel', '/fire'],
    ['+cluster', ''],
  ] as const;
  let closed: number;
  let foreign: number;
  let foreignCluster: number;
  let locked: number;
  beforeAll(async () => {
    closed = await freePort();
    foreign = await servers.standalone(elsewhere);
    foreignCluster = await servers.cluster(elsewhere, 'localhost');
    locked = await servers.standalone(here, '--requirepass', 'another');
  });

  function cases(): (readonly [url: string, cause: RegExp])[] {
    return [
      ...MODES.flatMap(([mode, path]) => [
        [`redis${mode}://${WITH_PASSWORD}127.0.0.1:${closed}${path}`, /ECONNREFUSED/] as const,
        [`redis${mode}://${WITH_PASSWORD}${NO_NAME}:${closed}${path}`, /ENOTFOUND|EAI_AGAIN/] as const,
        [
          `rediss${mode}://localhost:${mode === '+cluster' ? foreignCluster : foreign}${path}`,
          OTHER_NAME,
        ] as const,
      ]),
      [`rediss://${WITH_PASSWORD}localhost:${locked}`, /WRONGPASS/],
      [`rediss+cluster://${WITH_PASSWORD}localhost:${locked}`, /WRONGPASS/],
      [`redis://127.0.0.1:${foreign}`, /ECONNRESET|EPIPE/],
    ];
  }

  test('stands in /readyz and in the log, in every mode, and no secret with it', async () => {
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const nodes = await Promise.all(
      cases().map(async ([url, cause], at) => ({ cause, ...(await startUnready(url, at)) })),
    );
    onTestFinished(async () => void (await Promise.all(nodes.map(({ stop }) => stop()))));
    const log = () =>
      written.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('redis_'));
    await Promise.all(
      nodes.map(({ id, url, cause, problem }) =>
        eventually(
          async () => {
            expect(await problem()).toMatch(cause);
            expect(log().find((line) => line.includes(`"${id}"`) && cause.test(line))).toBeDefined();
          },
          { timeoutMs: 10_000, what: `the cause of ${url}` },
        ),
      ),
    );
    written.mockRestore();
    expect(JSON.stringify([log(), await Promise.all(nodes.map(({ problem }) => problem()))])).not.toContain(
      PASSWORD,
    );
  });

  test('is found by the doctor, where certificates are for another name', async () => {
    const urls = [
      `rediss+cluster://localhost:${foreignCluster}`,
      `rediss+sentinel://localhost:${foreign}/fire`,
    ];
    for (const REDIS_URL of urls) {
      let text = '';
      await doctor(['--json'], { AUTH: 'open', PORT: '0', OPS_PORT: '0', REDIS_URL }, (part) => {
        text += part;
      });
      const { findings } = JSON.parse(text) as { findings: Finding[] };
      const faults = findings.filter(({ level }) => level === 'fault').map((fault) => fault.text);
      expect(faults).toEqual([expect.stringContaining('TLS fails (ERR_TLS_CERT_ALTNAME_INVALID')]);
    }
  });
});

async function startUnready(url: string, at: number) {
  const id = `unready-${at}`;
  const bind = { HOST: '127.0.0.1', PORT: '0', OPS_PORT: '0' };
  const node = await startNode(
    parseConfig({ ...bind, NODE_ID: id, AUTH: 'open', LOG_LEVEL: 'warn', REDIS_URL: url }),
  );
  return {
    id,
    url,
    stop: () => node.stop(),
    async problem(): Promise<string> {
      const answer = await fetch(`http://127.0.0.1:${node.operatorsPort}/readyz`);
      const { checks } = (await answer.json()) as { checks: { backplane_answers: { problem?: string } } };
      return checks.backplane_answers.problem ?? '';
    },
  };
}

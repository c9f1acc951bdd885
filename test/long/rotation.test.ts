import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askAllocation } from '../../services/signaling/doctor/stun/turn-client.ts';
import { parseIceUrl } from '../../services/signaling/domain/ice-url.ts';
import { capabilities } from '../support/capabilities.ts';
import { type ComposeCluster, composeUp } from '../support/compose.ts';
import { startLoad } from '../support/crowd-load.ts';
import { buildImage } from '../support/image.ts';
import { certificateOf } from '../support/tls-probe.ts';

interface IceReply {
  readonly ice_servers: readonly { readonly username?: string; readonly credential?: string }[];
}

/** deploy/rotate on a real engine, under load: what it changes is changed, and nobody loses anything. */
describe.skipIf(!capabilities.docker)('every secret is changed while people talk', () => {
  let cluster: ComposeCluster;
  beforeAll(async () => {
    await buildImage();
    cluster = await composeUp({ DRAIN_MS: '4000' });
  }, 240_000);
  afterAll(() => cluster?.stop(), 60_000);

  const words = (name: string) => cluster.secret(name).split(' ');

  /** Runs it beside a load, which must lose nothing. */
  async function underLoad(change: () => Promise<void>): Promise<void> {
    const load = startLoad(['beijing', 'shanghai'].map((region) => `${cluster.url}/?region=${region}`));
    await load.isOn();
    await load.during('terminate', change);
    expect(await load.verdict()).toEqual([]);
  }

  test('the certificate, on connections that are made from then on, without a reload', async () => {
    const { port } = new URL(cluster.tlsUrl);
    const before = await certificateOf(Number(port));
    await cluster.rotate('certificate');
    const after = await certificateOf(Number(port));
    expect(after).not.toBe(before);
    expect(cluster.secret('tls.pem')).toContain('BEGIN CERTIFICATE');
    // It is the one that a container that is made anew takes.
    await cluster.compose('restart', 'haproxy');
    await expect
      .poll(() => certificateOf(Number(port)).catch(() => undefined), { timeout: 20_000 })
      .toBe(after);
  }, 60_000);

  test('the secret of TURN: credentials of both are taken, until the old one is finished', async () => {
    const [old] = words('turn_secret');
    const early = await credentials();
    expect(await relays(early)).toBe('allocated');
    await underLoad(() => cluster.rotate('turn'));
    expect(words('turn_secret')[1]).toBe(old);
    const late = await credentials();
    expect([await relays(early), await relays(late)]).toEqual(['allocated', 'allocated']);
    await cluster.rotate('turn', '--finish');
    expect(words('turn_secret')).toHaveLength(1);
    expect([await relays(early), await relays(late)]).toEqual(['refused', 'allocated']);
  }, 240_000);

  test('the operators’ token: both are taken, until the old one is finished', async () => {
    const [old = ''] = words('admin_token');
    await underLoad(() => cluster.rotate('admin'));
    const [next = ''] = words('admin_token');
    expect(next).not.toBe(old);
    expect([await asks(old), await asks(next)]).toEqual([200, 200]);
    await underLoad(() => cluster.rotate('admin', '--finish'));
    expect([await asks(old), await asks(next)]).toEqual([401, 200]);
  }, 300_000);

  test('the password of Redis: the old one is good for nothing when it is done', async () => {
    const [old = ''] = words('redis_password');
    expect(await redisSays(old)).toBe('PONG');
    await underLoad(() => cluster.rotate('redis'));
    const [next = ''] = words('redis_password');
    expect(await redisSays(next)).toBe('PONG');
    expect(await redisSays(old)).toContain('WRONGPASS');
  }, 240_000);

  async function credentials() {
    const { ice_servers } = (await (await fetch(`${cluster.url}/ice`)).json()) as IceReply;
    const server = ice_servers.find(({ credential }) => credential !== undefined);
    return { username: server?.username ?? '', credential: server?.credential ?? '' };
  }

  async function relays(login: { username: string; credential: string }): Promise<string> {
    const server = parseIceUrl(`turn:127.0.0.1:${cluster.turnPort}?transport=tcp`);
    if (server === undefined) throw new Error('no TURN server');
    return (await askAllocation(server, login)).kind;
  }

  async function asks(token: string): Promise<number> {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${cluster.opsUrl('shanghai-1')}/admin/v1/nodes`, { headers })).status;
  }

  async function redisSays(password: string): Promise<string> {
    const asked = ['redis-cli', '--no-auth-warning', '--user', 'fenghuo', '-a', password, 'PING'];
    const said = await cluster.compose(
      'exec',
      '-T',
      'redis-beijing',
      'sh',
      '-c',
      '"$@" 2>&1',
      'sh',
      ...asked,
    );
    return said.trim().split('\n')[0] ?? '';
  }
});

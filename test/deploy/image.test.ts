import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterOurDeath } from '@fenghuo/cluster';
import type { JoinReply } from '@fenghuo/protocol';
import {
  GenericContainer,
  Network,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { capabilities } from '../support/capabilities.ts';
import { eventually } from '../support/eventually.ts';
import { buildImage, docker, IMAGE, ROOT } from '../support/image.ts';
import { connect, type PlainClient, SAMPLE_CANDIDATE } from '../support/plain-client.ts';

/** Built as it ships, from deploy/Dockerfile. */
describe.skipIf(!capabilities.docker)('the image', () => {
  beforeAll(() => buildImage(), 240_000);

  const inImage = (...script: string[]) =>
    docker('run', '--rm', '--read-only', '--network=none', '--entrypoint=node', IMAGE, '-e', ...script);

  test('says what it is, is not root, and takes no shell to start', async () => {
    const [{ Config }] = JSON.parse(await docker('image', 'inspect', IMAGE)) as [
      { Config: { User: string; Entrypoint: string[]; Cmd: string[]; Labels: Record<string, string> } },
    ];
    expect(Config).toMatchObject({
      User: '1000:1000',
      Entrypoint: ['node'],
      Cmd: ['services/signaling/main.ts'],
      Labels: {
        'org.opencontainers.image.version': '1.2.3',
        'org.opencontainers.image.revision': '0123abc',
      },
    });
  });

  test('holds the packages that a node runs on, and nothing that builds, tests or loads it', async () => {
    const found = JSON.parse(
      await inImage(`const { globSync } = require('node:fs');
        console.log(JSON.stringify([
          ...globSync('node_modules/{*,@*/*}/package.json'),
          ...globSync('services/*'),
          ...globSync('{*,.*}'),
        ]))`),
    ) as string[];
    const isPackage = (name: string) => found.includes(`node_modules/${name}/package.json`);
    for (const needed of ['fastify', 'ioredis', 'jose', 'pino', 'prom-client', 'socket.io', 'zod'])
      expect(isPackage(needed), needed).toBe(true);
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean }>;
    };
    const forDevelopment = Object.keys(packages).filter((path) => packages[path]?.dev === true);
    expect(forDevelopment).toContain('node_modules/vitest');
    expect(forDevelopment.filter((path) => found.includes(`${path}/package.json`))).toEqual([]);
    // What other workspaces need, and what brings another Node along.
    for (const absent of ['node', '@fenghuo/loadtest', '@fenghuo/web', 'preact', 'socket.io-client'])
      expect(isPackage(absent), absent).toBe(false);
    expect(found.filter((path) => !path.startsWith('node_modules/')).sort()).toEqual([
      'node_modules',
      'package.json',
      'services',
      'services/protocol',
      'services/signaling',
      'services/web',
    ]);
  });

  test('holds no secret: not in its history, its environment or its files', async () => {
    const history = await docker('history', '--no-trunc', '--format', '{{.CreatedBy}}', IMAGE);
    const environment = await docker('image', 'inspect', '--format', '{{json .Config.Env}}', IMAGE);
    expect(history + environment).not.toMatch(/secret|token|password|_auth|NPM_CONFIG_REGISTRY|https?:/i);
    const suspects = await inImage(`const { globSync } = require('node:fs');
      console.log(globSync('/app/**/{.npmrc,.env*,*.pem,*.key,.git}').concat(globSync('/{root,home/*}/.npmrc')).join())`);
    expect(suspects.trim()).toBe('');
  });

  test('is small: what it adds to the base image', async () => {
    const sizes = (await docker('history', '--human=false', '--format', '{{.Size}} {{.CreatedBy}}', IMAGE))
      .split('\n')
      .filter((line) => /COPY .*(node_modules|services|package\.json)/.test(line))
      .map((line) => Number.parseInt(line, 10));
    expect(sizes.length).toBe(5);
    expect(sizes.reduce((sum, size) => sum + size) / 1e6).toBeLessThan(30);
  });

  test('names every fault of its configuration at once, and ends before anything listens', async () => {
    const wrong = ['AUTH=open', 'PORT=http', 'REDIS_URL=ftp://x', 'TURN_URLS=turn:t', 'DRAIN_MS=-1'];
    const run = promisify(execFile)('docker', [
      ...['run', '--rm', '--read-only', '--network=none'],
      ...wrong.flatMap((setting) => ['--env', setting]),
      IMAGE,
    ]);
    const { code, stdout, stderr } = await run.then(
      () => ({ code: 0, stdout: '', stderr: '' }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    expect(code).toBe(1);
    expect(stdout).toBe('');
    for (const name of ['AUTH', 'PORT', 'REDIS_URL', 'TURN_SECRET', 'DRAIN_MS', 'ALLOWED_ORIGINS'])
      expect(stderr).toContain(name);
    expect(stderr).not.toContain('ftp://x');
  });

  describe('with Redis on a network', () => {
    let network: StartedNetwork;
    let redis: StartedTestContainer;
    let one: StartedTestContainer;
    let two: StartedTestContainer;
    let ann: PlainClient;
    let bob: PlainClient;
    let bobs: JoinReply;
    let annsTo: string;
    const guards: { disarm(): void }[] = [];

    beforeAll(async () => {
      network = await new Network().start();
      const start = async (container: GenericContainer) => {
        const started = await container.withNetwork(network).start();
        guards.push(afterOurDeath('docker rm --force --volumes "$0"', started.getId()));
        return started;
      };
      redis = await start(
        new GenericContainer('redis:7-bookworm')
          .withNetworkAliases('redis')
          .withWaitStrategy(Wait.forLogMessage('Ready to accept connections')),
      );
      [one, two] = await Promise.all([start(nodeContainer('one')), start(nodeContainer('two'))]);
      [ann, bob] = await Promise.all([connect(urlOf(one)), connect(urlOf(two))]);
      await ann.join('blue', { name: 'Ann' });
      bobs = await bob.join('blue', { name: 'Bob' });
      annsTo = bobs.self.id;
    }, 90_000);
    afterAll(async () => {
      for (const client of [ann, bob]) client?.close();
      for (const container of [one, two, redis]) await container?.stop({ timeout: 0 });
      await network?.stop();
      for (const guard of guards) guard.disarm();
    }, 60_000);

    /** Sent by Ann until it is taken; what it then costs nobody is to be sent twice. */
    const signal = (id: number) =>
      eventually(
        async () => {
          const reply = await ann.ask('signal', { id, to: annsTo, candidate: SAMPLE_CANDIDATE });
          if (!reply.ok) throw new Error(reply.error.code);
        },
        { timeoutMs: 30_000, everyMs: 200, what: `signal ${id} is taken` },
      );

    test('runs read-only, without capabilities, as one process that is not root', async () => {
      expect((await one.exec(['id', '-u'])).output.trim()).toBe('1000');
      expect((await one.exec(['cat', '/proc/1/cmdline'])).output).toBe('node\0services/signaling/main.ts\0');
      expect(
        (await one.exec(['touch', '/app/x', '/tmp/x'])).output.match(/Read-only file system/g),
      ).toHaveLength(2);
      expect((await one.exec(['grep', 'CapEff', '/proc/1/status'])).output).toMatch(/CapEff:\s+0{16}/);
    });

    test('a Redis that hangs, or is cut off: nodes are alive and not ready, then ready, and every signal arrives once', async () => {
      await signal(2);
      const faults = [
        [() => docker('pause', redis.getId()), () => docker('unpause', redis.getId())],
        [
          () => docker('network', 'disconnect', network.getName(), redis.getId()),
          () => docker('network', 'connect', '--alias=redis', network.getName(), redis.getId()),
        ],
      ] as const;
      let id = 2;
      for (const [inflict, heal] of faults) {
        await inflict();
        await eventually(async () => expect(await status(one, 'readyz')).toBe(503), {
          timeoutMs: 15_000,
          what: 'the node is not ready',
        });
        expect(await status(one, 'livez')).toBe(200);
        id += 1;
        const reply = await ann.ask('signal', { id, to: annsTo, candidate: SAMPLE_CANDIDATE });
        expect(reply).toMatchObject({ ok: false, error: { code: 'unavailable' } });
        await heal();
        await signal(id);
        await eventually(async () => expect(await status(one, 'readyz')).toBe(200), { timeoutMs: 15_000 });
      }
      await eventually(() => expect(bob.all('signal')).toHaveLength(id - 1), { timeoutMs: 15_000 });
      expect(ann.socket.connected && bob.socket.connected).toBe(true);
      // To be killed for a Redis that is away would cost connections.
      expect(await docker('inspect', '--format', '{{.State.Health.Status}}', one.getId())).toBe('healthy\n');
    });

    test('a node that hangs: its client goes on at the other one, and it serves again when it wakes', async () => {
      const before = bob.all('signal').length;
      await docker('pause', two.getId());
      await signal(before + 2);
      const again = await connect(urlOf(one));
      const { seq } = bob.all('signal').at(-1);
      expect(await again.resume({ ...bobs, seq })).toMatchObject({ ok: true, recovered: true });
      await again.next('signal');
      expect(again.all('signal')).toHaveLength(1);
      bob.close();
      bob = again;
      await docker('unpause', two.getId());
      await eventually(async () => expect(await status(two, 'readyz')).toBe(200), { timeoutMs: 30_000 });
      const carol = await connect(urlOf(two));
      expect((await carol.join('blue', { name: 'Carol' })).peers).toHaveLength(2);
      carol.close();
    });

    test('SIGTERM to its one process drains it: its clients are sent away, and it ends by itself', async () => {
      const stopped = docker('stop', '--time=30', one.getId());
      await ann.next('go_away', 10_000);
      expect(await status(one, 'readyz')).toBe(503);
      for (const client of [ann, bob]) client.close();
      await stopped;
      expect(await docker('inspect', '--format', '{{.State.ExitCode}}', one.getId())).toBe('0\n');
    });
  });
});

/** As docker-compose.yml and k8s/ run it. */
function nodeContainer(id: string): GenericContainer {
  return new ReadOnlyContainer(IMAGE)
    .withEnvironment({
      ...{ NODE_ENV: '', AUTH: 'open', REDIS_URL: 'redis://redis:6379' },
      ...{ NODE_ID: id, OPS_HOST: '0.0.0.0', DRAIN_MS: '10000' },
    })
    .withDroppedCapabilities('ALL')
    .withSecurityOpt('no-new-privileges:true')
    .withExposedPorts(3001, 9101)
    .withWaitStrategy(Wait.forHealthCheck());
}

class ReadOnlyContainer extends GenericContainer {
  constructor(image: string) {
    super(image);
    this.hostConfig.ReadonlyRootfs = true;
  }
}

function urlOf(node: StartedTestContainer): string {
  return `http://127.0.0.1:${node.getMappedPort(3001)}`;
}

async function status(node: StartedTestContainer, check: 'livez' | 'readyz'): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${node.getMappedPort(9101)}/${check}`);
  return response.status;
}

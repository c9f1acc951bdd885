// What one node and its Redis take: node_modules/.bin/node test/bench/sizing.ts [SESSIONS] [PEERS_IN_A_ROOM] [SIGNALS_A_SECOND]
// Joins that many sessions on one node, lets them be idle for a while, then has them signal each other. Prints figures;
// asserts nothing. Everything is on 127.0.0.1, and gone afterwards.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, nodeEnvironment, startNodeProcess } from '@fenghuo/cluster';
import { Crowd, seededRandom, startTraffic } from '@fenghuo/loadtest';
import { Redis } from 'ioredis';
import { startLocalRedis } from '../support/redis.ts';

const [sessions = 2_000, roomSize = 2, perSecond = 500] = process.argv.slice(2).map(Number);
const SETTLE_MS = 15_000;
const IDLE_MS = 20_000;
const TRAFFIC_MS = 15_000;
const JOINS_AT_ONCE = 40;
/** Of /proc: Linux counts processors' time in these. */
const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK']).toString());

const redis = await startLocalRedis({ aof: true, args: ['--appendfsync', 'everysec'] });
const client = new Redis(redis.url);
const ports = { port: await freePort(), opsPort: await freePort() };
const plan = { nodeId: 'sized', region: 'local', host: '127.0.0.1', opsHost: '127.0.0.1', ...ports };
const env = nodeEnvironment(plan, { REDIS_URL: redis.url }, process.env);
const node = startNodeProcess(plan, env, () => {});
try {
  await node.ready();
  await sleep(SETTLE_MS / 3);
  const empty = await measure();
  const crowd = new Crowd({
    endpoints: [`http://127.0.0.1:${ports.port}`],
    roomSizes: Array.from({ length: Math.floor(sessions / roomSize) }, () => roomSize),
    random: seededRandom(1),
  });
  const joiningMs = performance.now();
  await crowd.start(JOINS_AT_ONCE);
  print(
    'joined',
    `${crowd.peers.length} sessions, ${crowd.rooms.size} rooms of ${roomSize}, in ${seconds(joiningMs)} s`,
  );
  await sleep(SETTLE_MS);
  const full = await measure();
  await sleep(IDLE_MS);
  const idle = await measure();
  const count = crowd.peers.length;
  print(
    'node memory (RSS)',
    `${mb(empty.rss)} MB empty, ${mb(full.rss)} MB full: ${kb((full.rss - empty.rss) / count)} KiB a session`,
  );
  print(
    'redis memory',
    `${mb(empty.redisBytes)} MB empty, ${mb(full.redisBytes)} MB full: ${kb((full.redisBytes - empty.redisBytes) / count)} KiB a session, ${kb((full.redisBytes - empty.redisBytes) / crowd.rooms.size)} KiB a room`,
  );
  print(
    'idle',
    `node ${percent(idle, full, 'nodeCpuS')} % of a core, Redis ${percent(idle, full, 'redisCpuS')} %, ${Math.round((idle.redisCommands - full.redisCommands) / (idle.atS - full.atS))} Redis commands a second`,
  );
  const traffic = startTraffic(crowd, perSecond);
  await sleep(TRAFFIC_MS);
  traffic.stop();
  const busy = await measure();
  const signals = traffic.planned;
  const each = (name: 'nodeCpuS' | 'redisCpuS') => {
    const idleShare = (idle[name] - full[name]) / (idle.atS - full.atS);
    return Math.round(((busy[name] - idle[name] - idleShare * (busy.atS - idle.atS)) / signals) * 1e6);
  };
  print(
    'signals',
    `${Math.round(signals / (busy.atS - idle.atS))} a second: ${each('nodeCpuS')} µs of the node and ${each('redisCpuS')} µs of Redis for each`,
  );
  print('after them', `node ${mb(busy.rss)} MB, Redis ${mb(busy.redisBytes)} MB`);
} finally {
  await node.stop(0);
  client.disconnect();
  await redis.stop();
}
process.exit(0);

async function measure() {
  const info = await client.info();
  const fact = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return {
    atS: performance.now() / 1_000,
    rss: fromProc(`/proc/${node.pid}/status`, /VmRSS:\s+(\d+) kB/) * 1_024,
    nodeCpuS: cpuS(node.pid),
    redisCpuS: cpuS(redis.pid),
    redisBytes: fact('used_memory'),
    redisCommands: fact('total_commands_processed'),
  };
}

function cpuS(pid: number): number {
  const after = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(after[11]) + Number(after[12])) / TICKS_A_SECOND;
}

function fromProc(path: string, pattern: RegExp): number {
  return Number(pattern.exec(readFileSync(path, 'utf8'))?.[1] ?? 0);
}

type Measured = Awaited<ReturnType<typeof measure>>;

function percent(later: Measured, earlier: Measured, name: 'nodeCpuS' | 'redisCpuS'): string {
  return (((later[name] - earlier[name]) / (later.atS - earlier.atS)) * 100).toFixed(1);
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1_000).toFixed(1);
}

function mb(bytes: number): string {
  return (bytes / 1_048_576).toFixed(0);
}

function kb(bytes: number): string {
  return (bytes / 1_024).toFixed(1);
}

function print(what: string, text: string): void {
  process.stdout.write(`${what.padEnd(18)} ${text}\n`);
}

import type { PeerId } from '@fenghuo/protocol';
import type { Client, Clients } from '../backplane/redis/connect.ts';
import { redisDoorbell, ringOf } from '../backplane/redis/doorbell.ts';
import type { Keys } from '../backplane/redis/keys.ts';
import { SCRIPTS } from '../backplane/redis/scripts.ts';
import type { RoomId } from '../domain/room-id.ts';
import type { RoomRecord } from '../domain/room-record.ts';
import { type Finding, fault, ok, reasonOf, warning, within } from './finding.ts';

const PINGS = 50;
const PINGS_MS = 1_500;
/** Every signal waits for one of them; in a room of another region, for the way there and back. */
const SLOW_MS = { local: { p50: 10, p99: 100 }, far: { p50: 100, p99: 250 } };
const SKEW_WARNING_MS = 2_000;
const LOOP_MS = 2_000;

/** How long Redis takes, and what its clock says. Of another region's, that is the link between the two. */
export async function checkRoundTrip(commands: Client, isLocal: boolean): Promise<Finding[]> {
  const tookMs: number[] = [];
  const startedMs = performance.now();
  let skewMs = 0;
  while (tookMs.length < PINGS && performance.now() - startedMs < PINGS_MS) {
    const sentMs = performance.now();
    const sentWallMs = Date.now();
    const [seconds = 0, micros = 0] = (await within(PINGS_MS, commands.time())).map(Number);
    tookMs.push(performance.now() - sentMs);
    skewMs = (sentWallMs + Date.now()) / 2 - (seconds * 1_000 + micros / 1_000);
  }
  tookMs.sort((a, b) => a - b);
  const pace = isLocal ? paceAtHome : paceOfLink;
  return [pace(quantile(tookMs, 0.5), quantile(tookMs, 0.99), tookMs.length), clock(skewMs)];
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

function paceAtHome(p50: number, p99: number, count: number): Finding {
  const text = roundTrip(p50, p99, count);
  if (p50 <= SLOW_MS.local.p50 && p99 <= SLOW_MS.local.p99) return ok('redis', text);
  const cure =
    'put Redis next to the nodes; redis-cli --latency, SLOWLOG GET, and no swap (transparent huge pages off)';
  return warning('redis', `${text}: every join and signal waits for one`, cure);
}

function paceOfLink(p50: number, p99: number, count: number): Finding {
  const text = `${roundTrip(p50, p99, count)}: what a signal in a room of that region takes more`;
  if (p50 <= SLOW_MS.far.p50 && p99 <= SLOW_MS.far.p99) return ok('link', text);
  const cure = 'mtr --tcp -P 6379 HOST says where on the way; a leased line in place of the Internet';
  return warning('link', text, cure);
}

function roundTrip(p50: number, p99: number, count: number): string {
  return `round trip p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms (${count} times)`;
}

/** No wall clock is in what nodes share; it shows in logs, and in tokens where Redis's host issues them. */
function clock(skewMs: number): Finding {
  const amount = `${(Math.abs(skewMs) / 1_000).toFixed(1)} s ${skewMs > 0 ? 'ahead of' : 'behind'}`;
  if (Math.abs(skewMs) <= SKEW_WARNING_MS) return ok('clock', 'agrees with that of Redis');
  const text = `this host is ${amount} Redis: one of the two is wrong, and tokens and TURN credentials go by this one`;
  return warning('clock', text, 'set both by NTP: timedatectl set-ntp true');
}

/** A script of ours, and its ring through the doorbell that nodes use. */
export async function checkLoop(clients: Clients, keys: Keys, id: string): Promise<Finding[]> {
  const room = 'loop@main' as RoomId;
  try {
    await within(LOOP_MS, glance(clients.commands, keys, room));
  } catch (error) {
    return [
      fault(
        'redis',
        `scripts do not run: ${reasonOf(error)}`,
        'give the rights above; EVAL and EVALSHA must not be renamed',
      ),
    ];
  }
  const bell = redisDoorbell({
    subscriber: clients.subscriber,
    publisher: clients.commands,
    keys,
    incarnation: id,
    observer: { subscriptionFailed: () => {}, looped: () => {}, malformed: () => {}, failed: () => {} },
    host: async () => true,
  });
  const channel = clients.commands.isCluster ? keys.log(room) : keys.channel(id);
  try {
    const heard = new Promise<RoomRecord>((resolve) => {
      bell.onRing = (_, record) => resolve(record);
    });
    if (!(await bell.subscribe(room))) throw new Error('SSUBSCRIBE is not confirmed');
    const sentMs = performance.now();
    await within(LOOP_MS, clients.commands.eval(RING, 1, channel, ringOf(keys.log(room), ringFrom(id))));
    if ((await within(LOOP_MS, heard)).origin !== id) throw new Error('what came back is not what was sent');
    return [
      ok(
        'redis',
        `a script's ring came back by sharded pub/sub in ${(performance.now() - sentMs).toFixed(1)} ms`,
      ),
    ];
  } catch (error) {
    const cure =
      'no proxy between that does not know SSUBSCRIBE; no client-output-buffer-limit that cuts pubsub clients; the rights above';
    return [fault('redis', `a ring does not come back by sharded pub/sub: ${reasonOf(error)}`, cure)];
  } finally {
    bell.unsubscribe(room);
    bell.close();
  }
}

/** A record that no log has. */
function ringFrom(id: string): RoomRecord {
  const from = 'doctor' as PeerId;
  return {
    type: 'message',
    epoch: 0,
    seq: 0,
    from,
    to: undefined,
    echo: false,
    id: 0,
    origin: id,
    originMs: 0,
    body: '{}',
    inner: '',
  };
}

/** As the scripts ring. */
const RING = "return redis.call('SPUBLISH', KEYS[1], ARGV[1])";

/** The least of the nodes' scripts, of a room that is not there: it reads, and writes nothing. */
async function glance(commands: Client, keys: Keys, room: RoomId): Promise<void> {
  const ofRoom = [keys.state(room), keys.log(room), keys.state(room), keys.restore(room)];
  await commands.eval(SCRIPTS.glance.lua, ofRoom.length, ...ofRoom, '-');
}

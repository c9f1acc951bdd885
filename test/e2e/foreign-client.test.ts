import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { EVENTS, type EventName, REQUESTS, type RequestName } from '@fenghuo/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { mintToken } from '../../services/signaling/index.ts';
import { capabilities } from '../support/capabilities.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connect, type PlainClient, SAMPLE_CANDIDATE } from '../support/plain-client.ts';

const SCRIPT = fileURLToPath(new URL('foreign_client.py', import.meta.url));
const PYTHON = capabilities.pythonSocketio;

describe.skipIf(PYTHON === false)('a client in Python, and socket.io-client without our SDK', () => {
  let cluster: TestCluster;
  let rooms = 0;
  const opened: { close(): void }[] = [];
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2, backplane: 'redis' });
  });
  afterAll(() => cluster?.stop());
  afterEach(() => {
    for (const each of opened.splice(0)) each.close();
  });

  function python(url: string, room: string, role: string, otherUrl = '', token?: string): PythonClient {
    const client = new PythonClient(url, room, role, otherUrl, token);
    opened.push(client);
    return client;
  }

  async function person(node: 0 | 1): Promise<PlainClient> {
    const client = await connect(cluster.nodes[node].url);
    opened.push(client);
    return client;
  }

  describe.each([
    ['Beijing', 'Shanghai', 0, 1],
    ['Shanghai', 'Beijing', 1, 0],
  ] as const)('Python on %s, the other on %s', (_, __, pythonNode, otherNode) => {
    test('Python calls: its offer is answered, and candidates cross both ways, in order, none doubled', async () => {
      const room = `烽火 台 ${++rooms}`;
      const bob = await person(otherNode);
      const { self } = await bob.join(room, { name: 'Bob', metadata: METADATA });
      const caller = python(cluster.nodes[pythonNode].url, room, 'caller');

      const { peer } = await bob.next('peer_joined', 20_000);
      expect(peer).toMatchObject({ ...PYTHON_PROFILE, node: cluster.nodes[pythonNode].id });
      const offer = await bob.next('signal', 10_000);
      await signalAll(bob, peer.id, { type: 'answer', sdp: SDP });
      expect(await caller.exitCode(), caller.stderr).toBe(0);

      expect(await bob.next('peer_left')).toMatchObject({ peer: peer.id, reason: 'left' });
      expect(caller.answers('join')[0]).toMatchObject({ ok: true, peers: [self] });
      expect(offer).toMatchObject({ from: peer.id, description: { type: 'offer' } });
      expectExchange(caller, bob, 'answer');
      expect(caller.line('polite')).toEqual({ polite: true });
    });

    test('Python is called: it answers, and candidates cross both ways, in order, none doubled', async () => {
      const room = `room-${++rooms}`;
      const callee = python(cluster.nodes[pythonNode].url, room, 'callee');
      const joined = await callee.answered('join');
      const ann = await person(otherNode);
      const { self, peers } = await ann.join(room, { name: 'Ann', metadata: METADATA });
      expect(peers).toEqual([joined.self]);
      expect(peers[0]).toMatchObject(PYTHON_PROFILE);

      await signalAll(ann, joined.self.id, { type: 'offer', sdp: SDP });
      expect(await callee.exitCode(), callee.stderr).toBe(0);

      expect(await ann.next('peer_left')).toMatchObject({ peer: joined.self.id, reason: 'left' });
      expect(callee.events('peer_joined')).toMatchObject([{ peer: self }]);
      expectExchange(callee, ann, 'offer');
      expect(callee.line('polite')).toEqual({ polite: false });
    });
  });

  test('Python resumes on another node: what it missed comes in order, once, and it goes on with its ids', async () => {
    const room = `room-${++rooms}`;
    const ann = await person(1);
    await ann.join(room, { name: 'Ann' });
    const traveller = python(cluster.nodes[0].url, room, 'traveller', cluster.nodes[1].url);
    const { peer } = await ann.next('peer_joined', 20_000);
    expect(await ann.next('peer_updated')).toMatchObject({ peer: { id: peer.id, connected: false } });
    for (let n = 0; n < 5; n++)
      expect(await ann.request('signal', { to: peer.id, candidate: { candidate: `${n}` } })).toMatchObject({
        delivery: 'held',
      });
    traveller.goOn();

    expect(await traveller.exitCode(), traveller.stderr).toBe(0);
    const [resumed] = traveller.answers('resume');
    expect(resumed).toMatchObject({ ok: true, recovered: true, last_id: 2 });
    expect(traveller.events('signal').map((event) => event.candidate.candidate)).toEqual([
      '0',
      '1',
      '2',
      '3',
      '4',
    ]);
    expect(ann.all('message').map((event) => event.data)).toEqual(['before', 'after']);
    expect(await ann.next('peer_left')).toMatchObject({ peer: peer.id, reason: 'left' });
    const [before, repeated, after] = traveller.answers('message');
    expect(repeated).toEqual(before);
    expect(after).toMatchObject({ ok: true });
  });

  test('Python gets the typed error of each mistake, a repeat gets its first answer, and no ack is needed', async () => {
    const room = `room-${++rooms}`;
    const witness = await person(1);
    await witness.join(room);
    const prober = python(cluster.nodes[0].url, room, 'prober');
    expect(await prober.exitCode(), prober.stderr).toBe(0);

    const errors = prober.replies.filter((reply) => !reply.ok).map((reply) => reply.error);
    expect(errors.map((error) => error.code)).toEqual([
      'not_joined',
      'invalid_request', // a join whose id is not 1
      'already_joined',
      'invalid_request', // a signal with neither description nor candidate
      'invalid_request', // a payload that is no object
      'invalid_request', // bytes
      'too_large', // 75,000 bytes in 25,000 characters
      'unknown_request',
      'peer_not_found',
      'peer_not_found', // the repeat, after later ids were answered
    ]);
    for (const { message } of errors) expect(message).toMatch(/\S/);

    const [twice, again, end] = prober.answers('message').filter((reply) => reply.ok);
    expect(again).toEqual(twice);
    await eventually(() => witness.all('message').at(-1)?.topic === 'end', { what: 'the last message' });
    expect(witness.all('message')).toEqual([
      { seq: twice.seq - 1, from: prober.self.id, topic: 'unacknowledged', data: '烽火 🔥' },
      { seq: twice.seq, from: prober.self.id, topic: 'twice', data: { n: [1, null, 'é'] } },
      { seq: end.seq, from: prober.self.id, topic: 'end', data: null },
    ]);
    expect(end.seq).toBe(twice.seq + 1);
  });

  test('Python is host: what it orders is done to clients on the other node, and the room ends by its word', async () => {
    const room = `room-${++rooms}`;
    const ruler = python(cluster.nodes[0].url, room, 'ruler');
    const joined = await ruler.answered('join');
    expect(joined.self).toMatchObject({ role: 'host' });
    const [bob, carol] = [await person(1), await person(1)];
    const { self } = await bob.join(room, { name: 'Bob' });
    await carol.join(room, { name: 'Carol' });
    expect(await ruler.exitCode(), ruler.stderr).toBe(0);

    expect(carol.all('peer_updated')).toMatchObject([{ peer: { id: self.id, muted: ['audio', 'video'] } }]);
    expect(carol.all('room_updated')).toMatchObject([{ room: { locked: true } }]);
    expect(await bob.next('removed')).toEqual({ reason: 'kicked', by: joined.self.id });
    expect(carol.all('peer_left')).toMatchObject([{ peer: self.id, reason: 'kicked' }]);
    expect(await carol.next('removed')).toEqual({ reason: 'closed', by: joined.self.id });
    expect(ruler.events('removed')).toEqual([{ reason: 'closed', by: joined.self.id }]);
    const [mute, lock, self_, kick, close] = ruler.answers('moderate');
    for (const each of [mute, lock, kick, close]) expect(each).toEqual({ ok: true, seq: expect.any(Number) });
    expect(self_).toMatchObject({ ok: false, error: { code: 'forbidden' } });
  });

  test('Python is muted and shown out: it is told so, and no token of its own brings it back', async () => {
    const room = `room-${++rooms}`;
    const ann = await person(1);
    const { self } = await ann.join(room, { name: 'Ann' });
    const guest = python(cluster.nodes[0].url, room, 'guest');
    const { peer } = await ann.next('peer_joined', 20_000);
    await ann.request('moderate', { action: 'mute', peer: peer.id, kinds: ['audio'] });
    expect(await ann.next('message', 10_000)).toMatchObject({ data: 'still here' });
    await ann.request('moderate', { action: 'kick', peer: peer.id });
    expect(await guest.exitCode(), guest.stderr).toBe(0);

    const refused = (code: string) => [{ ok: false, error: { code } }];
    expect(guest.answers('moderate')).toMatchObject(refused('forbidden'));
    expect(guest.answers('signal')).toMatchObject(refused('media_forbidden'));
    expect(guest.events('removed')).toEqual([{ reason: 'kicked', by: self.id }]);
    expect(guest.answers('resume')).toMatchObject(refused('session_expired'));
    const [, again] = guest.answers('join');
    expect(again).toMatchObject({ ok: true, self: { muted: ['audio'] } });
    expect(again.self.id).not.toBe(peer.id);
  });

  test('a refused connection reaches Python as the error object of the handshake', async () => {
    const strict = await startCluster({
      nodes: 1,
      backplane: 'memory',
      settings: { ALLOWED_ORIGINS: 'https://app.example' },
    });
    opened.push({ close: () => void strict.stop() });
    // Its WebSocket library names the node's own address as the origin.
    const visitor = python(strict.nodes[0].url, 'blue', 'visitor');
    expect(await visitor.exitCode(), visitor.stderr).toBe(2);
    expect(visitor.line('refused')).toMatchObject({ refused: { data: { code: 'origin_forbidden' } } });
  });

  test('Python comes in, and back on another node, by its token; without one it is told that it needs one', async () => {
    const JWT_SECRET = 'a-secret-of-at-least-thirty-two-bytes';
    const strict = await startCluster({ nodes: 2, settings: { AUTH: 'required', JWT_SECRET } });
    opened.push({ close: () => void strict.stop() });
    const [beijing, shanghai] = strict.nodes;
    const stranger = python(beijing.url, 'blue', 'visitor');
    expect(await stranger.exitCode(), stranger.stderr).toBe(2);
    expect(stranger.line('refused')).toMatchObject({ refused: { data: { code: 'unauthorized' } } });

    const grant = { sub: 'python', room: 'blue', role: 'moderator', name: '赵灵', ttlS: 60 } as const;
    const token = await mintToken(grant, { JWT_SECRET });
    const traveller = python(beijing.url, 'blue', 'traveller', shanghai.url, token);
    await traveller.answered('message');
    traveller.goOn();
    expect(await traveller.exitCode(), traveller.stderr).toBe(0);
    expect(traveller.self).toMatchObject({ name: '赵灵', role: 'moderator' });
    expect(traveller.answers('resume')).toMatchObject([{ ok: true, recovered: true }]);
  });

  test('a Python client whose process is killed is seen to have no connection at once', async () => {
    const room = `room-${++rooms}`;
    const witness = await person(1);
    await witness.join(room);
    const callee = python(cluster.nodes[0].url, room, 'callee');
    const { self } = await callee.answered('join');
    callee.close();
    expect(await witness.next('peer_updated')).toMatchObject({ peer: { id: self.id, connected: false } });
  });
});

describe('docs/protocol.md', () => {
  const text = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
  const frames = text
    .split(/^```.*$/m)
    .flatMap((block, n) => (n % 2 === 1 ? block.split('\n') : []))
    .filter((line) => /^([ABC][<>] )?\d/.test(line));

  test('every request and every event that it shows is one that the protocol takes', () => {
    const shown = new Set<string>();
    for (const frame of frames) {
      const [, ack, name, json] = /^(?:[ABC][<>] )?42(\d*)\["(\w+)",(.*)\]$/.exec(frame) ?? [];
      if (name === undefined) continue;
      shown.add(name);
      const schema: z.ZodType =
        ack === '' ? EVENTS[name as EventName].strict() : REQUESTS[name as RequestName];
      expect(schema.safeParse(JSON.parse(json ?? '')), frame).toMatchObject({ success: true });
    }
    expect([...shown].sort()).toEqual(
      [...new Set([...Object.keys(REQUESTS), ...Object.keys(EVENTS)])].sort(),
    );
  });

  test('its worked example is what two bare WebSockets on two nodes exchange', async () => {
    const settings = { STUN_URLS: 'stun:stun.example.org:3478' };
    const cluster = await startCluster({ nodes: 2, backplane: 'redis', settings });
    const sockets = new Map<string, RawSocket>();
    // Ids, tokens and epochs of the document, and what they are in this run.
    const ids = new Map<string, string>();
    try {
      for (const line of frames.filter((each) => /^[ABC]/.test(each))) {
        const [who = '', direction, frame] = [line.charAt(0), line.charAt(1), line.slice(3)];
        const socket = sockets.get(who) ?? new RawSocket(cluster.nodes[who === 'B' ? 1 : 0].url);
        sockets.set(who, socket);
        if (direction === '>') {
          socket.send([...ids].reduce((sent, [ours, theirs]) => sent.replaceAll(ours, theirs), frame));
          continue;
        }
        await eventually(
          () =>
            socket.frames.some((received) => {
              const [ours, theirs] = [newIn(frame), newIn(received)];
              for (const [n, our] of ours.entries()) if (theirs[n] !== undefined) ids.set(our, theirs[n]);
              const told = [...ids].reduce((so, [our, their]) => so.replaceAll(their, our), received);
              return isDeepStrictEqual(meaning(told), meaning(frame));
            }),
          { what: `${line}; ${who} received ${socket.frames.join(' ')}` },
        );
      }
      for (const [who, { frames: received }] of sockets)
        expect(received, who).toHaveLength(frames.filter((line) => line.startsWith(`${who}<`)).length);
    } finally {
      for (const socket of sockets.values()) socket.close();
      await cluster.stop();
    }
  });

  /** What a join's reply makes known: the token first, since it holds the id. */
  function newIn(frame: string): string[] {
    if (!/^43\d+\[\{"ok":true,"self"/.test(frame)) return [];
    return [/"resume_token":"([^"]+)"/, /"self":\{"id":"([^"]+)"/, /"epoch":(\d+)/].map(
      (pattern) => pattern.exec(frame)?.[1] ?? '',
    );
  }

  /** A frame's type and content, without what is new in every run. */
  function meaning(frame: string): unknown {
    const [, type, json = ''] = /^(\d+)(.*)$/s.exec(frame) ?? [];
    const content: unknown = JSON.parse(json || 'null', (name, value) =>
      ['sid', 'epoch', 'resume_token'].includes(name) ? typeof value : value,
    );
    return [type, content];
  }
});

/** Frames as they are, with no Socket.IO library; pings are answered. */
class RawSocket {
  readonly frames: string[] = [];
  readonly #socket: WebSocket;

  constructor(url: string) {
    this.#socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    this.#socket.addEventListener('message', ({ data }) => {
      if (data === '2') this.#socket.send('3');
      else this.frames.push(String(data));
    });
  }

  send(frame: string): void {
    this.#socket.send(frame);
  }

  close(): void {
    this.#socket.close();
  }
}

const METADATA = { 城市: '北京', mood: '🏮', nested: [{ a: null }] };
const PYTHON_PROFILE = {
  name: '赵灵 🔥',
  metadata: { 城市: '上海', lantern: '🏮', list: [], none: null },
};
const SDP = `v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=烽火 "🔥" \\ é\r\nt=0 0\r\n${'a=candidate:1 1 udp 2122260223 192.0.2.1 61665 typ host\r\n'.repeat(40)}`;
const CANDIDATES = Array.from({ length: 12 }, (_, n) => ({ ...SAMPLE_CANDIDATE, sdpMLineIndex: n }));

/** A description, candidates and their end, one after the other without waiting for answers. */
async function signalAll(client: PlainClient, to: string, description: object): Promise<void> {
  const answers = await Promise.all([
    client.request('signal', { to, description }),
    ...[...CANDIDATES, null].map((candidate) => client.request('signal', { to, candidate })),
  ]);
  for (const answer of answers) expect(answer).toMatchObject({ ok: true, delivery: 'sent' });
}

/** Each received exactly what the other says it sent, in that order; seqs rise and agree with the answers. */
function expectExchange(python: PythonClient, plain: PlainClient, plainSent: 'offer' | 'answer'): void {
  const sent = python.lines.filter((line) => line.request === 'signal');
  expect(sent).toHaveLength(14);
  expect(sent[0]?.payload.description.sdp).toContain('s=烽火 🔥 naïve\r\n');
  const received = plain.all('signal');
  expect(received).toEqual(
    sent.map(({ payload: { description, candidate }, reply }) => ({
      seq: reply.seq,
      from: python.self.id,
      ...(description === undefined ? { candidate } : { description }),
    })),
  );
  expect(python.events('signal').map(({ seq, from, ...content }) => content)).toEqual([
    { description: { type: plainSent, sdp: SDP } },
    ...[...CANDIDATES, null].map((candidate) => ({ candidate })),
  ]);
  for (const seqs of [received, python.events('signal')].map((events) => events.map(({ seq }) => seq)))
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads the wire as it is
type Line = Record<string, any>;

/** The script as a process of its own: what it says, line by line, and how it ends. */
class PythonClient {
  readonly lines: Line[] = [];
  stderr = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;

  constructor(url: string, room: string, role: string, otherUrl: string, token: string | undefined) {
    const child = spawn(String(PYTHON), [SCRIPT, url, room, role, otherUrl], {
      env: { ...process.env, ...(token === undefined ? {} : { TOKEN: token }) },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(JSON.parse(line)));
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    this.#ended.catch(() => {});
  }

  /** Ends a wait of its part. */
  goOn(): void {
    this.#child.stdin?.write('\n');
  }

  /** Resolves once the process has ended and all that it said is here. */
  exitCode(): Promise<number | null> {
    return this.#ended;
  }

  get replies() {
    return this.lines.filter((line) => line.reply !== undefined).map((line) => line.reply);
  }

  answers(request: string) {
    return this.lines.filter((line) => line.request === request).map((line) => line.reply);
  }

  /** The peer that its successful join made. */
  get self() {
    return this.answers('join').find((reply) => reply.ok).self;
  }

  /** What it got of an event, each checked against the protocol. */
  events(name: EventName): Line[] {
    return this.lines
      .filter((line) => line.event === name)
      .map((line) => EVENTS[name].strict().parse(line.payload));
  }

  line(member: string): Line | undefined {
    return this.lines.find((line) => line[member] !== undefined);
  }

  /** The first answer to a request, once it is here. */
  async answered(request: string): Promise<Line> {
    try {
      return await eventually(() => (this.answers(request)[0] as Line | undefined) ?? false, {
        timeoutMs: 20_000,
        what: `an answer to Python's ${request}`,
      }).then((reply) => reply || {});
    } catch (error) {
      throw new Error(`${(error as Error).message}; Python wrote: ${this.stderr}`);
    }
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}

import { setTimeout as sleep } from 'node:timers/promises';

import { type Connection, openConnection } from '../../../services/loadtest/connection.ts';
import { RequestLine } from '../../../services/loadtest/request-line.ts';
import { type Spread, spreadOf } from '../../../services/loadtest/samples.ts';
import { tokenOf, type Witnessed } from './witnessed.ts';

const EVERY_MS = 40;
const OPEN_MS = 5_000;
const STOP_MS = 5_000;
/** Longer than a node may keep anybody waiting. */
const ANSWER_MS = 5_000;
/** Not the fuzzer's. */
const ADDRESSES = ['127.0.0.2', '127.0.0.3'] as const;
const SDP = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n${'a=x-filling:1\r\n'.repeat(60)}`;

/** Two people in a call on the two nodes of a cluster, who send each other numbered things and expect each once, in order. */
export interface HonestPair {
  readonly findings: readonly string[];
  /** The number of `unavailable` answers. The pair then sends the request again. */
  readonly withheld: number;
  /** How long what they sent took since the last call; undefined where nothing came. */
  takeSpread(): Spread | undefined;
  /** Waits until what was sent has come, and ends. */
  stop(): Promise<void>;
}

export async function startHonestPair(target: Witnessed): Promise<HonestPair> {
  const findings: string[] = [];
  const found = (what: string) => {
    if (findings.length < 20) findings.push(`the honest pair: ${what}`);
  };
  const people = await Promise.all([0, 1].map((node) => enter(target, node as 0 | 1, found)));
  const [ann, bob] = people as [Person, Person];
  ann.meet(bob);
  bob.meet(ann);
  const timer = setInterval(() => {
    for (const person of people) person.send();
  }, EVERY_MS);
  return {
    findings,
    get withheld() {
      return ann.withheld + bob.withheld;
    },
    takeSpread: () => spreadOf(people.flatMap((person) => person.takeLatencies())),
    async stop() {
      clearInterval(timer);
      const deadline = performance.now() + STOP_MS;
      while (performance.now() < deadline && people.some((person) => person.missing > 0)) await sleep(20);
      for (const person of people) {
        if (person.missing > 0) found(`${person.missing} that were sent to ${person.name} never came`);
        person.close();
      }
    },
  };
}

interface Person {
  readonly name: string;
  readonly id: string;
  /** How many of those that were sent to it have not come. */
  readonly missing: number;
  readonly withheld: number;
  meet(other: Person): void;
  /** Of the next number that is to come from the other. */
  expect(sentMs: number): void;
  send(): void;
  takeLatencies(): number[];
  close(): void;
}

async function enter(target: Witnessed, node: 0 | 1, found: (what: string) => void): Promise<Person> {
  const name = node === 0 ? 'ann' : 'bob';
  const expected: number[] = [];
  let received = 0;
  let latencies: number[] = [];
  let other: Person | undefined;
  let sent = 0;
  let withheld = 0;
  let isClosing = false;

  function heard(event: string, payload: unknown): void {
    if (event === 'removed' || event === 'resync') return void found(`${name} was told ${event}`);
    if (event !== 'signal' && event !== 'message') return;
    const n = numberIn(payload as object);
    if (n === received && expected[n] !== undefined) {
      latencies.push(performance.now() - expected[n]);
      received += 1;
    } else found(`${name} got number ${n} in place of ${received}`);
  }

  const connection: Connection = await openConnection(
    target.nodes[node]?.endpoint ?? '',
    OPEN_MS,
    { heard, lost: (reason) => void (isClosing || found(`${name} lost the connection: ${reason}`)) },
    {
      localAddress: ADDRESSES[node],
      ...tokenOf(target, name),
    },
  );
  const id = await new Promise<string>((resolve, reject) =>
    connection.ask('join', { id: 1, room: 'honest', name }, (answer) =>
      answer.ok ? resolve((answer.self as { id: string }).id) : reject(new Error(answer.error.code)),
    ),
  );
  const requests = new RequestLine({
    random: Math.random,
    answerMs: ANSWER_MS,
    onSilence: () => found(`${name} got no answer within ${ANSWER_MS} ms`),
    onWithheld({ code }) {
      withheld += 1;
      if (code !== 'unavailable') found(`${name} was told ${code}`);
    },
  });
  requests.continueOn(connection);
  return {
    name,
    id,
    get missing() {
      return expected.length - received;
    },
    get withheld() {
      return withheld;
    },
    meet: (person) => {
      other = person;
    },
    expect: (sentMs) => void expected.push(sentMs),
    send() {
      if (other === undefined || !connection.isOpen) return;
      const n = sent++;
      other.expect(performance.now());
      const [request, body] = contentOf(n, other.id);
      requests.request(request, body, (outcome) => {
        if (outcome.kind === 'refused') found(`${name}'s ${request} was refused: ${outcome.error.code}`);
      });
    },
    takeLatencies() {
      const taken = latencies;
      latencies = [];
      return taken;
    },
    close() {
      isClosing = true;
      requests.end();
      connection.close();
    },
  };
}

/** As in a call: mostly candidates, with offers and messages between them. */
function contentOf(n: number, to: string): readonly [string, object] {
  if (n % 5 === 0) return ['signal', { to, description: { type: 'offer', sdp: `${SDP}a=n:${n}\r\n` } }];
  if (n % 5 === 1) return ['message', { topic: 'chat', data: `n:${n}` }];
  return ['signal', { to, candidate: { candidate: `n:${n}`, sdpMid: '0' } }];
}

function numberIn(event: {
  readonly candidate?: { candidate: string };
  readonly description?: { sdp: string };
  readonly data?: unknown;
}): number {
  const text = event.candidate?.candidate ?? event.description?.sdp ?? event.data;
  return Number(/n:(\d+)/.exec(String(text))?.[1] ?? Number.NaN);
}

import { setTimeout as sleep } from 'node:timers/promises';
import { CONNECTION_BUDGET, type ErrorCode } from '@fenghuo/protocol';

import { type Answer, type Connection, NotOpened, openConnection } from '../../connection.ts';
import { sourceAddress } from '../../source-address.ts';
import { tokenFor } from '../tokens.ts';
import type { Activity, Stage } from './activity.ts';

/** What came of the attacks, by name: how often each was answered as it must be, and how not. */
export type AbuseFindings = Readonly<Record<string, { readonly right: number; readonly wrong: string[] }>>;

interface Site {
  readonly url: string;
  readonly token: string | undefined;
  readonly localAddress: string | undefined;
  readonly room: string;
}

/** Resolves with what is wrong; undefined where it was answered as the protocol says. */
type Attack = (site: Site) => Promise<string | undefined>;

const ANSWER_MS = 10_000;
const WRONG_MAX = 3;
const FLOOD = CONNECTION_BUDGET.requests.burst + CONNECTION_BUDGET.refusals.burst / 2;
const OVER_MESSAGE = 'x'.repeat(70_000);
const OVER_FRAME = 'x'.repeat(300_000);

/** Malformed, oversize and too many requests, forged tokens and broken frames, over and over; each waits for its answer. */
export function startAbuse({ field }: Stage): Activity & { readonly abuse: AbuseFindings } {
  const { plan, share } = field;
  const abuse: Record<string, { right: number; wrong: string[] }> = {};
  let isEnded = false;
  let isDone = false;

  async function attack(): Promise<void> {
    for (let n = 0; !isEnded; n++) {
      for (const [name, run] of Object.entries(ATTACKS)) {
        if (isEnded) break;
        const { url } = plan.targets[n % plan.targets.length] as (typeof plan.targets)[number];
        const site = {
          url,
          token: tokenFor(plan.credentials, plan.durationS),
          localAddress: sourceAddress(url, share.index, n),
          room: `load-${plan.runId}-w${share.index}-a${n}`,
        };
        const wrong = await run(site).catch((error: Error) => error.message);
        const found = abuse[name] ?? { right: 0, wrong: [] };
        abuse[name] = found;
        if (wrong === undefined) found.right += 1;
        else if (found.wrong.length < WRONG_MAX) found.wrong.push(wrong);
      }
    }
    isDone = true;
  }
  void attack();
  return {
    abuse,
    planned: 0,
    get isDone() {
      return isDone;
    },
    end: () => {
      isEnded = true;
    },
  };
}

const ATTACKS: Readonly<Record<string, Attack>> = {
  'a signal before a join': (site) =>
    withConnection(site, (ask) =>
      refused(ask('signal', { id: 2, to: 'nobody', candidate: null }), 'not_joined'),
    ),
  'a room that may not be named so': (site) =>
    withConnection(site, (ask) => refused(ask('join', { id: 1, room: '{}' }), 'invalid_request')),
  'a request that nobody knows': (site) =>
    withConnection(site, (ask) => refused(ask('unheard-of', { a: 'b' }), 'unknown_request')),
  'a token that nobody gave': (site) =>
    withConnection(site, (ask) =>
      refused(ask('resume', { resume_token: 'forged', seq: 1, epoch: 1 }), 'session_expired'),
    ),
  'a position below zero': (site) =>
    withConnection(site, (ask) =>
      refused(ask('resume', { resume_token: 'forged', seq: -1, epoch: 1 }), 'invalid_request'),
    ),
  'a second join': (site) =>
    joined(site, (ask) => refused(ask('join', { id: 1, room: site.room }), 'already_joined')),
  'a signal to nobody': (site) =>
    joined(site, (ask) => refused(ask('signal', { id: 2, to: 'nobody', candidate: null }), 'peer_not_found')),
  'a message over the limit': (site) =>
    joined(site, (ask) =>
      refused(ask('message', { id: 2, topic: 'a', data: OVER_MESSAGE }), 'too_large', 'invalid_request'),
    ),
  'a frame over the limit': (site) =>
    closedBy(site, (connection) =>
      connection.ask('message', { id: 2, topic: 'a', data: OVER_FRAME }, () => {}),
    ),
  'a broken frame': brokenFrame,
  'a token that is none': badToken,
  'a flood of messages': flood,
};

type Ask = (name: string, payload: object) => Promise<Answer>;

async function withConnection(site: Site, use: (ask: Ask) => Promise<string | undefined>) {
  const connection = await open(site);
  try {
    return await use((name, payload) => asked(connection, name, payload));
  } finally {
    connection.close();
  }
}

function joined(site: Site, use: (ask: Ask) => Promise<string | undefined>) {
  return withConnection(site, async (ask) => {
    const answer = await ask('join', { id: 1, room: site.room });
    if (!answer.ok) return `a rightful join is refused: ${answer.error.code}`;
    const wrong = await use(ask);
    await ask('leave', { id: 9_999 });
    return wrong;
  });
}

async function refused(answer: Promise<Answer>, ...codes: ErrorCode[]): Promise<string | undefined> {
  const told = await answer;
  if (told.ok) return 'it was accepted';
  return codes.includes(told.error.code)
    ? undefined
    : `answered ${told.error.code}, not ${codes.join(' or ')}`;
}

/** More at once than a session may write: some are refused for now, none without a word, and the connection stays. */
async function flood(site: Site): Promise<string | undefined> {
  return joined(site, async (ask) => {
    const answers = await Promise.all(
      Array.from({ length: FLOOD }, (_, n) => ask('message', { id: n + 2, topic: 'flood', data: n })),
    );
    const codes = new Set(answers.flatMap((answer) => (answer.ok ? [] : [answer.error.code])));
    if (codes.size === 0) return 'nothing was refused';
    codes.delete('rate_limited');
    return codes.size === 0 ? undefined : `answered ${[...codes].join(', ')}, not rate_limited`;
  });
}

/** Only where tokens count: an open cluster looks at none. */
async function badToken(site: Site): Promise<string | undefined> {
  if (site.token === undefined) return undefined;
  try {
    const connection = await open({ ...site, token: 'not.a.token' });
    connection.close();
    return 'it was let in';
  } catch (error) {
    const code = error instanceof NotOpened ? error.error?.code : undefined;
    return code === 'unauthorized' ? undefined : `answered ${code ?? 'nothing'}, not unauthorized`;
  }
}

/** What is not of the protocol at all closes its own connection. */
function brokenFrame({ url }: Site): Promise<string | undefined> {
  const address = new URL('/socket.io/?EIO=4&transport=websocket', url);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  return new Promise((resolve) => {
    const socket = new WebSocket(address);
    const timer = setTimeout(() => finish('it stays open'), ANSWER_MS);
    const finish = (wrong: string | undefined) => {
      clearTimeout(timer);
      socket.close();
      resolve(wrong);
    };
    socket.addEventListener('open', () => {
      socket.send('40');
      socket.send('42[[[broken');
    });
    socket.addEventListener('close', () => finish(undefined));
  });
}

async function closedBy(site: Site, act: (connection: Connection) => void): Promise<string | undefined> {
  let closed: () => void = () => {};
  const end = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const connection = await open(site, () => closed());
  act(connection);
  const first = await Promise.race([end, sleep(ANSWER_MS, 'late' as const, { ref: false })]);
  connection.close();
  return first === 'late' ? 'it stays open' : undefined;
}

function open({ url, token, localAddress }: Site, lost: () => void = () => {}): Promise<Connection> {
  return openConnection(
    url,
    ANSWER_MS,
    { heard: () => {}, lost },
    {
      ...(token === undefined ? {} : { token }),
      localAddress,
    },
  );
}

function asked(connection: Connection, name: string, payload: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer to ${name}`)), ANSWER_MS);
    connection.ask(name, payload, (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}

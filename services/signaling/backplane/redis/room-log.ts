import { type LeftReason, type Moderation, type PeerId, ROOM_METADATA_BYTES_MAX } from '@fenghuo/protocol';
import type { Answer } from '../../domain/answer.ts';
import { Later } from '../../domain/later.ts';
import type { LogBounds } from '../../domain/log-bounds.ts';
import { PEOPLE_KEPT_MAX } from '../../domain/moderation.ts';
import type { RequestRef } from '../../domain/request-order.ts';
import { ok, type Result, refuse } from '../../domain/result.ts';
import { type RoomId, roomHome, roomName } from '../../domain/room-id.ts';
import { formatDraft } from '../../domain/room-record.ts';
import { snapshotOf } from '../../domain/room-state.ts';
import type { OnMalformed, ReadValue } from '../malformed.ts';
import { closedMs, LAST_MS } from '../room-end.ts';
import {
  LOG_PAGE_RECORDS,
  type Location,
  type RoomHead,
  type RoomLog,
  type RoomSnapshot,
  SERVER,
  type SessionRef,
  type SessionRefusal,
} from '../room-log.ts';
import { Appends, type AppendsParts } from './appends.ts';
import { boundsArguments, type CallRoomsScript, type RunRoomScript } from './commands.ts';
import { inParts } from './in-parts.ts';
import type { Keys } from './keys.ts';
import { answerIn, countIn, peerIn, reading, refusal, textIn, textsIn } from './replies.ts';
import { readFields } from './room-fields.ts';

/** Rooms in Redis: each call of the port is one script, so one round trip. */
export function redisRoomLog(
  { runInRoom, callInRooms }: { readonly runInRoom: RunRoomScript; readonly callInRooms: CallRoomsScript },
  keys: Keys,
  options: RedisRoomLogOptions,
): RoomLog {
  const { isCluster } = options;
  const limits = boundsArguments(options.bounds);
  const closedForMs = closedMs(options.bounds);
  const channel = isCluster ? '' : keys.channel(options.incarnation);
  const appends = new Appends({ ...options, call: callInRooms, channel, bounds: limits });
  const run: RunRoomScript = (...script) => {
    appends.flush();
    return runInRoom(...script);
  };
  /** What a process holds; on a Cluster, where a script may not touch it, a key that it may. */
  const heldBy = (owner: string, room: RoomId) => (isCluster ? keys.state(room) : keys.held(owner));
  const origin = () => `${options.incarnation} ${nowMs()}`;
  const read = <Value>(parse: () => Value, what: ReadValue = 'reply') =>
    reading(what, options.onMalformed, parse);
  /** A refusal, or the seq or generation that the text is. */
  const settled = <Code extends string>(reply: unknown): Result<number, Code | 'unavailable'> =>
    typeof reply === 'string' && reply.startsWith('!') ? refusal<Code>(reply) : read(() => countIn(reply));
  const place = (request: RequestRef | undefined) => [request?.id ?? 0, request?.previousId ?? 0];

  async function leave(
    { room, peer }: { room: RoomId; peer: PeerId },
    generation: number,
    reason: LeftReason,
    tokenHash: string,
    request?: RequestRef,
  ): Promise<Result<number, SessionRefusal>> {
    const reply = await run(
      'leave',
      room,
      [keys.voided(room, tokenHash), keys.closed(room), keys.last(room)],
      peer,
      generation,
      ...place(request),
      reason,
      origin(),
      VOID_MS,
      closedForMs,
      LAST_MS,
      tokenHash,
      ...limits,
    );
    return reply.ok ? settled<SessionRefusal>(reply.value) : reply;
  }

  /** The reply's texts: the answer, and what was appended. */
  async function moderate(
    room: RoomId,
    actor: SessionRef | undefined,
    request: RequestRef | undefined,
    order: Moderation,
  ): Promise<Result<string[], 'unavailable'>> {
    const reply = await run(
      'moderate',
      room,
      [keys.closed(room), keys.last(room)],
      actor?.peer ?? '',
      actor?.generation ?? 0,
      ...place(request),
      order.action,
      'peer' in order ? order.peer : '',
      order.action === 'set_role' ? order.role : 'kinds' in order ? order.kinds.join(' ') : '',
      `"name":${JSON.stringify(roomName(room))},"home":${JSON.stringify(roomHome(room))}`,
      PEOPLE_KEPT_MAX,
      origin(),
      closedForMs,
      LAST_MS,
      ...limits,
    );
    return reply.ok ? read(() => textsIn(reply.value, 1)) : reply;
  }

  return {
    async join(newcomer) {
      const { room, peer, profile, location } = newcomer;
      const reply = await run(
        'join',
        room,
        [keys.voided(room, newcomer.tokenHash), keys.closed(room), heldBy(newcomer.incarnation, room)],
        peer,
        newcomer.generation,
        `"name":${JSON.stringify(profile.name)},"metadata":${JSON.stringify(profile.metadata)}`,
        locationFragment(location),
        newcomer.roles.first,
        newcomer.roles.others,
        String(newcomer.roles.inherits),
        newcomer.peersMax,
        newcomer.tokenHash,
        newcomer.person,
        newcomer.incarnation,
        origin(),
        ROOM_TTL_MS,
        newcomer.wantsState ? 'state' : '',
        channel,
        ROOM_METADATA_BYTES_MAX,
        ...limits,
      );
      if (!reply.ok) return reply;
      if (typeof reply.value === 'string') return refusal(reply.value);
      return read(() => {
        const [generation, record = '', ...rest] = textsIn(reply.value, 2);
        const entered = { generation: countIn(generation), record };
        if (!newcomer.wantsState) return { ...entered, snapshot: parseSnapshot(room, rest) };
        const state = readFields((rest[0] ?? '').split(BETWEEN_FIELDS));
        if (state === undefined || state === 'malformed') throw new Error('not a state');
        return { ...entered, snapshot: snapshotOf(room, state), state };
      }, 'state');
    },

    async verify({ room, peer, tokenHash, person }) {
      const reply = await run('verify', room, [], peer, tokenHash, person ?? '');
      if (!reply.ok) return reply;
      return reply.value === 'ok' ? ok(undefined) : refusal(String(reply.value));
    },

    async resume(comeback) {
      const { room, peer } = comeback;
      const reply = await run(
        'resume',
        room,
        [keys.voided(room, comeback.holder), heldBy(comeback.incarnation, room)],
        peer,
        comeback.tokenHash,
        comeback.seq,
        comeback.epoch,
        comeback.attempt,
        locationFragment(comeback.location),
        comeback.incarnation,
        comeback.holder,
        comeback.person ?? '',
        origin(),
        channel,
        ...limits,
      );
      if (!reply.ok) return reply;
      if (typeof reply.value === 'string') return refusal(reply.value);
      return read(() => {
        const [generation, lastId, epoch, head, record = '', from = '', ...rest] = textsIn(reply.value, 6);
        return {
          generation: countIn(generation),
          lastId: countIn(lastId),
          epoch: countIn(epoch),
          head: countIn(head),
          record,
          replayFrom: from === '' ? undefined : countIn(from),
          snapshot: from === '' ? parseSnapshot(room, rest) : undefined,
        };
      });
    },

    async release({ room, peer, holder }, owner) {
      const more = [keys.voided(room, holder), heldBy(owner, room)];
      const reply = await run('release', room, more, peer, holder, owner, origin(), VOID_MS, ...limits);
      if (!reply.ok) return reply;
      return read(() => (reply.value === '' ? undefined : countIn(reply.value)));
    },

    async replay(room, peer, after, upTo) {
      const reply = await run('replay', room, [], peer, after, upTo, LOG_PAGE_RECORDS, REPLAY_BYTES_MAX);
      if (!reply.ok || reply.value === null) return reply.ok ? ok(undefined) : reply;
      return read(() => {
        const [lookedUpTo, ...records] = textsIn(reply.value, 1);
        const up = countIn(lookedUpTo);
        // Whoever asks for the next part would get this one for ever.
        if (up <= after) throw new Error('a part without progress');
        return { upTo: up, records };
      });
    },

    async detach({ room, peer, generation }, owner) {
      const reply = await run(
        'detach',
        room,
        [heldBy(owner, room)],
        peer,
        generation,
        owner,
        origin(),
        ...limits,
      );
      return reply.ok ? settled<SessionRefusal>(reply.value) : reply;
    },

    leave: ({ room, peer, generation }, reason, request) =>
      leave({ room, peer }, generation, reason, '', request),

    async callOff({ room, peer, tokenHash }, reason) {
      const left = await leave({ room, peer }, 0, reason, tokenHash);
      return !left.ok && left.code === 'unavailable' ? refuse('unavailable') : ok(undefined);
    },

    relay({ room, peer, generation }, { id, previousId }, { type, to, echo, kinds, body }) {
      const { incarnation } = options;
      const draft = { type, from: peer, to, echo, id, origin: incarnation, originMs: nowMs(), body };
      const outcome = new Later<Result<Answer, SessionRefusal>>();
      const place = `${generation} ${previousId} ${kinds?.join(',') ?? ''}`;
      appends.add({ room, draft, rest: formatDraft(draft), place, outcome });
      return outcome;
    },

    async update(session, request, profile) {
      const reply = await run(
        'update',
        session.room,
        [],
        session.peer,
        session.generation,
        ...place(request),
        profile.name === undefined ? '' : JSON.stringify(profile.name),
        profile.metadata === undefined ? '' : JSON.stringify(profile.metadata),
        origin(),
        ROOM_METADATA_BYTES_MAX,
        ...limits,
      );
      if (!reply.ok) return reply;
      const [text = '', body, seq] = Array.isArray(reply.value) ? reply.value : [reply.value];
      if (body === undefined) return refusal(String(text));
      return read(() => {
        const { peer } = JSON.parse(textIn(body)) as { peer?: unknown };
        return { peer: peerIn(JSON.stringify(peer)), seq: countIn(seq) };
      });
    },

    async moderate(session, request, order) {
      const reply = await moderate(session.room, session, request, order);
      if (!reply.ok) return reply;
      const [text = '', ...records] = reply.value;
      if (text.startsWith('!')) return refusal<SessionRefusal>(text);
      return read(() => ({ answer: answerIn(text), records }), 'answer');
    },

    async intervene(room, order) {
      const reply = await moderate(room, undefined, undefined, order);
      if (!reply.ok) return reply;
      const [text = ''] = reply.value;
      return settled(text.startsWith('!') ? text : text.slice(1));
    },

    async send(room, { to, body }) {
      const reply = await run('send', room, [], SERVER, to ?? '*', origin(), body, ...limits);
      return reply.ok ? settled(reply.value) : reply;
    },

    async readAfter(id, seq) {
      const reply = await run('read', id, [keys.closed(id), keys.last(id)], seq, LOG_PAGE_RECORDS);
      if (!reply.ok || reply.value === null) return reply.ok ? ok(undefined) : reply;
      return read(() => {
        const [epoch, head, first, formerEpoch, formerFrom, formerHead, ...records] = textsIn(reply.value, 6);
        const former =
          formerEpoch === ''
            ? undefined
            : {
                epoch: countIn(formerEpoch),
                completeFrom: countIn(formerFrom),
                head: countIn(formerHead),
              };
        return { epoch: countIn(epoch), head: countIn(head), first: countIn(first), former, records };
      });
    },

    async snapshot(id) {
      const reply = await run('snapshot', id, []);
      if (!reply.ok) return reply;
      if (reply.value === null) return ok(undefined);
      return read(() => parseSnapshot(id, textsIn(reply.value)), 'state');
    },

    async state(id) {
      const reply = await run('state', id, []);
      if (!reply.ok) return reply;
      return read(() => {
        const state = readFields(textsIn(reply.value));
        if (state === 'malformed') throw new Error('not a state');
        return state;
      }, 'state');
    },

    async attest(rooms) {
      const heads: RoomHead[] = [];
      for (const part of inParts(rooms, isCluster ? 1 : ATTESTED_AT_ONCE)) {
        const replies = await new Promise<readonly (string | undefined)[]>((resolve) => {
          callInRooms('attest', part, part, [ROOM_TTL_MS, channel, ...limits], resolve);
        });
        // A room of which nothing is to be had keeps the others from nothing.
        for (let at = 0; at < part.length; at++) heads.push(parseHead(replies[at] ?? '!'));
      }
      return heads.length > 0 && heads.every((head) => head === 'unavailable')
        ? refuse('unavailable')
        : ok(heads);
    },
  };
}

/** To a tenth. */
function nowMs(): number {
  return Math.round(performance.now() * 10) / 10;
}

export interface RedisRoomLogOptions
  extends Pick<AppendsParts, 'isCluster' | 'onAppended' | 'onUnknown' | 'onFailed'> {
  readonly incarnation: string;
  readonly bounds: LogBounds;
  readonly onMalformed: OnMalformed;
}

/** The garbage net of rooms whose nodes all died: calls are silent for hours, so it is a long one (rule D7). */
export const ROOM_TTL_MS = 24 * 3_600_000;
/** How long a join that was given up stays impossible: longer than any buffer keeps its bytes. */
const VOID_MS = 60_000;
const REPLAY_BYTES_MAX = 512 * 1_024;
const ATTESTED_AT_ONCE = 64;
/** As join.lua has it. */
const BETWEEN_FIELDS = '\x1e';

/** A room's epoch and head; nothing: there is no such room. */
function parseHead(text: string): RoomHead {
  if (text === '') return undefined;
  const [epoch, head] = text.split(' ').map(Number);
  return Number.isSafeInteger(epoch) && Number.isSafeInteger(head)
    ? { epoch: epoch as number, head: head as number }
    : 'unavailable';
}

function locationFragment({ node, region }: Location): string {
  return `"node":${JSON.stringify(node)},"region":${JSON.stringify(region)}`;
}

/** Throws where it is none. */
function parseSnapshot(id: RoomId, reply: readonly string[]): RoomSnapshot {
  const [epoch, seq, locked, peersMax, ...peers] = reply;
  return {
    epoch: countIn(epoch),
    seq: countIn(seq),
    room: { name: roomName(id), home: roomHome(id), locked: locked === 'true', peers_max: countIn(peersMax) },
    peers: peers.map(peerIn),
  };
}

import {
  type LeftReason,
  type Moderation,
  type Peer,
  type PeerId,
  ROOM_METADATA_BYTES_MAX,
} from '@fenghuo/protocol';
import { type Answer, parseAnswer } from '../../domain/answer.ts';
import { Later } from '../../domain/later.ts';
import type { LogBounds } from '../../domain/log-bounds.ts';
import { PEOPLE_KEPT_MAX } from '../../domain/moderation.ts';
import type { RequestRef } from '../../domain/request-order.ts';
import { ok, type Result, refuse } from '../../domain/result.ts';
import { type RoomId, roomHome, roomName } from '../../domain/room-id.ts';
import { formatDraft } from '../../domain/room-record.ts';
import { type RoomState, snapshotOf } from '../../domain/room-state.ts';
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
import { boundsArguments, type CallRoomsScript, type RunRoomScript, refusalFrom } from './commands.ts';
import { inParts } from './in-parts.ts';
import type { Keys } from './keys.ts';
import { stateFromFields } from './room-fields.ts';

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
    if (!reply.ok) return reply;
    const text = reply.value as string;
    return text.startsWith('!') ? refusalFrom(text) : ok(Number(text));
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
    return reply as Result<string[], 'unavailable'>;
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
      if (typeof reply.value === 'string') return refusalFrom(reply.value);
      const [generation, record, ...rest] = reply.value as [string, string, ...string[]];
      const entered = { generation: Number(generation), record };
      if (!newcomer.wantsState) return ok({ ...entered, snapshot: parseSnapshot(room, rest) });
      const state = readState((rest[0] ?? '').split(BETWEEN_FIELDS));
      return state === undefined
        ? refuse('unavailable')
        : ok({ ...entered, snapshot: snapshotOf(room, state), state });
    },

    async verify({ room, peer, tokenHash, person }) {
      const reply = await run('verify', room, [], peer, tokenHash, person ?? '');
      if (!reply.ok) return reply;
      return reply.value === 'ok' ? ok(undefined) : refusalFrom(reply.value as string);
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
      if (typeof reply.value === 'string') return refusalFrom(reply.value);
      const [generation, lastId, epoch, head, record = '', from = '', ...rest] = reply.value as string[];
      return ok({
        generation: Number(generation),
        lastId: Number(lastId),
        epoch: Number(epoch),
        head: Number(head),
        record,
        replayFrom: from === '' ? undefined : Number(from),
        snapshot: from === '' ? parseSnapshot(room, rest) : undefined,
      });
    },

    async release({ room, peer, holder }, owner) {
      const more = [keys.voided(room, holder), heldBy(owner, room)];
      const reply = await run('release', room, more, peer, holder, owner, origin(), VOID_MS, ...limits);
      if (!reply.ok) return reply;
      return ok(reply.value === '' ? undefined : Number(reply.value));
    },

    async replay(room, peer, after, upTo) {
      const reply = await run('replay', room, [], peer, after, upTo, LOG_PAGE_RECORDS, REPLAY_BYTES_MAX);
      if (!reply.ok || reply.value === null) return reply.ok ? ok(undefined) : reply;
      const [lookedUpTo, ...records] = reply.value as string[];
      return ok({ upTo: Number(lookedUpTo), records });
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
      if (!reply.ok) return reply;
      const text = reply.value as string;
      return text.startsWith('!') ? refusalFrom(text) : ok(Number(text));
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
      const [text = '', body, seq] = reply.value as string[];
      if (body === undefined) return refusalFrom(text);
      return ok({ peer: (JSON.parse(body) as { peer: Peer }).peer, seq: Number(seq) });
    },

    async moderate(session, request, order) {
      const reply = await moderate(session.room, session, request, order);
      if (!reply.ok) return reply;
      const [text = '', ...records] = reply.value;
      return text.startsWith('!')
        ? refusalFrom<SessionRefusal>(text)
        : ok({ answer: parseAnswer(text), records });
    },

    async intervene(room, order) {
      const reply = await moderate(room, undefined, undefined, order);
      if (!reply.ok) return reply;
      const [text = ''] = reply.value;
      return text.startsWith('!') ? refusalFrom(text) : ok(Number(text.slice(1)));
    },

    async send(room, { to, body }) {
      const reply = await run('send', room, [], SERVER, to ?? '*', origin(), body, ...limits);
      if (!reply.ok) return reply;
      const text = reply.value as string;
      return text.startsWith('!') ? refusalFrom(text) : ok(Number(text));
    },

    async readAfter(id, seq) {
      const reply = await run('read', id, [keys.closed(id), keys.last(id)], seq, LOG_PAGE_RECORDS);
      if (!reply.ok || reply.value === null) return reply.ok ? ok(undefined) : reply;
      const [epoch, head, first, formerEpoch, formerFrom, formerHead, ...records] = reply.value as string[];
      const former =
        formerEpoch === ''
          ? undefined
          : { epoch: Number(formerEpoch), completeFrom: Number(formerFrom), head: Number(formerHead) };
      return ok({ epoch: Number(epoch), head: Number(head), first: Number(first), former, records });
    },

    async snapshot(id) {
      const reply = await run('snapshot', id, []);
      if (!reply.ok) return reply;
      return ok(reply.value === null ? undefined : parseSnapshot(id, reply.value as string[]));
    },

    async state(id) {
      const reply = await run('state', id, []);
      if (!reply.ok) return reply;
      const flat = reply.value as string[];
      const state = readState(flat);
      return state === undefined && flat.length > 0 ? refuse('unavailable') : ok(state);
    },

    async attest(rooms) {
      const heads: RoomHead[] = [];
      for (const part of inParts(rooms, isCluster ? 1 : ATTESTED_AT_ONCE)) {
        const replies = await new Promise<readonly (string | undefined)[]>((resolve) => {
          callInRooms('attest', part, part, [ROOM_TTL_MS, channel, ...limits], resolve);
        });
        if (replies.length < part.length || replies.includes(undefined)) return refuse('unavailable');
        for (const reply of replies) heads.push(parseHead(reply ?? ''));
      }
      return ok(heads);
    },
  };
}

/** To a tenth. */
function nowMs(): number {
  return Math.round(performance.now() * 10) / 10;
}

export interface RedisRoomLogOptions extends Pick<AppendsParts, 'isCluster' | 'onAppended' | 'onUnknown'> {
  readonly incarnation: string;
  readonly bounds: LogBounds;
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
  const [epoch, head] = text.split(' ');
  return text === '' ? undefined : { epoch: Number(epoch), head: Number(head) };
}

function locationFragment({ node, region }: Location): string {
  return `"node":${JSON.stringify(node)},"region":${JSON.stringify(region)}`;
}

/** Undefined where there is none; or it is of another version: who cannot read it does without it, and lives. */
function readState(flat: readonly string[]): RoomState | undefined {
  try {
    return stateFromFields(flat);
  } catch {
    return undefined;
  }
}

function parseSnapshot(id: RoomId, reply: readonly string[]): RoomSnapshot {
  const [epoch, seq, locked, peersMax, ...peers] = reply;
  return {
    epoch: Number(epoch),
    seq: Number(seq),
    room: { name: roomName(id), home: roomHome(id), locked: locked === 'true', peers_max: Number(peersMax) },
    peers: peers.map((peer) => JSON.parse(peer) as Peer),
  };
}

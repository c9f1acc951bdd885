import type { LeftReason, Peer } from '@fenghuo/protocol';
import { parseAnswer } from '../../domain/answer.ts';
import type { LogBounds } from '../../domain/log-bounds.ts';
import type { RequestRef } from '../../domain/request-order.ts';
import { ok, refuse } from '../../domain/result.ts';
import { type RoomId, roomHome, roomName } from '../../domain/room-id.ts';
import {
  LOG_PAGE_RECORDS,
  type RoomHead,
  type RoomLog,
  type RoomSnapshot,
  type SessionRefusal,
} from '../room-log.ts';
import { boundsArguments, type RunScript } from './commands.ts';
import type { Keys } from './keys.ts';

/** Rooms in Redis: each call of the port is one script, so one round trip. */
export function redisRoomLog(run: RunScript, keys: Keys, options: RedisRoomLogOptions): RoomLog {
  const limits = boundsArguments(options.bounds);
  const origin = () => `${options.incarnation} ${performance.now().toFixed(1)}`;
  const room = (id: RoomId) => [keys.state(id), keys.log(id)];
  const place = (request: RequestRef | undefined) => [request?.id ?? 0, request?.previousId ?? 0];

  return {
    async join(newcomer) {
      const { profile, location } = newcomer;
      const reply = await run(
        'join',
        [...room(newcomer.room), keys.voided(newcomer.room, newcomer.peer)],
        newcomer.peer,
        newcomer.generation,
        `"name":${JSON.stringify(profile.name)},"metadata":${JSON.stringify(profile.metadata)}`,
        `"node":${JSON.stringify(location.node)},"region":${JSON.stringify(location.region)}`,
        newcomer.roles.first,
        newcomer.roles.others,
        newcomer.peersMax,
        newcomer.tokenHash,
        newcomer.incarnation,
        origin(),
        ROOM_TTL_MS,
        ...limits,
      );
      if (!reply.ok) return reply;
      if (typeof reply.value === 'string')
        return refuse(refusal(reply.value) as 'room_full' | 'room_locked' | 'unavailable');
      return ok(parseSnapshot(newcomer.room, reply.value as string[]));
    },

    async leave(session, reason: LeftReason, request) {
      const reply = await run(
        'leave',
        [...room(session.room), keys.voided(session.room, session.peer)],
        session.peer,
        session.generation,
        ...place(request),
        reason,
        origin(),
        VOID_MS,
        ...limits,
      );
      if (!reply.ok) return reply;
      return reply.value === 'ok' ? ok(undefined) : refuse(refusal(reply.value as string) as SessionRefusal);
    },

    async relay(session, request, relay) {
      const reply = await run(
        'relay',
        room(session.room),
        session.peer,
        session.generation,
        ...place(request),
        relay.type === 'signal' ? 'S' : 'M',
        relay.to ?? '*',
        relay.echo ? 1 : 0,
        origin(),
        relay.body,
        ...limits,
      );
      if (!reply.ok) return reply;
      const text = reply.value as string;
      return text.startsWith('!') ? refuse(refusal(text) as SessionRefusal) : ok(parseAnswer(text));
    },

    async update(session, request, profile) {
      const reply = await run(
        'update',
        room(session.room),
        session.peer,
        session.generation,
        ...place(request),
        profile.name === undefined ? '' : JSON.stringify(profile.name),
        profile.metadata === undefined ? '' : JSON.stringify(profile.metadata),
        origin(),
        ...limits,
      );
      if (!reply.ok) return reply;
      const [text = '', body] = reply.value as string[];
      if (body === undefined) return refuse(refusal(text) as SessionRefusal);
      return ok((JSON.parse(body) as { peer: Peer }).peer);
    },

    async readAfter(id, seq) {
      const reply = await run('read', room(id), seq, LOG_PAGE_RECORDS);
      if (!reply.ok || reply.value === null) return reply.ok ? ok(undefined) : reply;
      const [epoch, head, first, ...records] = reply.value as string[];
      return ok({ epoch: Number(epoch), head: Number(head), first: Number(first), records });
    },

    async snapshot(id) {
      const reply = await run('snapshot', room(id));
      if (!reply.ok) return reply;
      return ok(reply.value === null ? undefined : parseSnapshot(id, reply.value as string[]));
    },

    async attest(rooms) {
      const replies = await Promise.all(rooms.map((id) => run('attest', room(id), ROOM_TTL_MS)));
      const heads: RoomHead[] = [];
      for (const reply of replies) {
        if (!reply.ok) return reply;
        const [epoch, head] = (reply.value as string[] | null) ?? [];
        heads.push(epoch === undefined ? undefined : { epoch: Number(epoch), head: Number(head) });
      }
      return ok(heads);
    },
  };
}

export interface RedisRoomLogOptions {
  readonly incarnation: string;
  readonly bounds: LogBounds;
}

/** The garbage net of rooms whose nodes all died: calls are silent for hours, so it is a long one (rule D7). */
const ROOM_TTL_MS = 24 * 3_600_000;
/** How long a join that was given up stays impossible: longer than any buffer keeps its bytes. */
const VOID_MS = 60_000;

function refusal(text: string): string {
  return text.slice(1);
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

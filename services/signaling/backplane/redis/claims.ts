import { ok, type Result, refuse } from '../../domain/result.ts';
import { type RoomId, roomId } from '../../domain/room-id.ts';
import { ASKED_TTL_MS, CLAIM_TTL_MS, type Claims, RELEASED_TTL_MS } from '../claims.ts';
import type { OnMalformed } from '../malformed.ts';
import type { RunRoomScript, RunScript } from './commands.ts';
import type { Keys } from './keys.ts';
import { reading, textIn } from './replies.ts';

/** Claims in a hash each, which the lives of its Redis guard as they guard a room (rule R1). */
export function redisClaims(
  run: RunScript,
  runInRoom: RunRoomScript,
  keys: Keys,
  isCluster: boolean,
  onMalformed: OnMalformed,
): Claims {
  async function ask(
    name: string,
    what: string,
    home: string,
    ttlMs: number,
  ): Promise<Result<string | null, 'unavailable'>> {
    const reply = await runInRoom('claim', placeOf(name), [], what, home, ttlMs);
    if (!reply.ok) return reply;
    return reading('claim', onMalformed, () => (reply.value === null ? null : homeIn(reply.value)));
  }

  return {
    async claim(name, home) {
      // No script reaches the marker of a Cluster: that a name is nobody's is believed after a look at it.
      const found = isCluster ? await ask(name, 'find', home, ASKED_TTL_MS) : ok(null);
      if (!found.ok) return found;
      const reply = found.value === null ? await ask(name, 'claim', home, ASKED_TTL_MS) : ok(found.value);
      if (!reply.ok || reply.value === null) return refuse('unavailable');
      const isNew = reply.value.startsWith(NEW);
      return ok({ home: isNew ? reply.value.slice(NEW.length) : reply.value, isNew });
    },

    async renew(name, home) {
      const reply = await ask(name, 'renew', home, CLAIM_TTL_MS);
      return reply.ok ? ok(reply.value !== '') : reply;
    },

    async release(name, home) {
      const reply = await ask(name, 'release', home, RELEASED_TTL_MS);
      return reply.ok ? ok(undefined) : reply;
    },

    async restore(name, home, life) {
      const reply = await run('reclaim', [keys.state(placeOf(name))], life, home, CLAIM_TTL_MS);
      // On a Cluster a name may lie on another master than the one that lost its data.
      return reply.ok ? ok(undefined) : reply;
    },
  };
}

/** No home's name begins with it. */
const NEW = '+';
/** A home, behind the mark where the name was nobody's; nothing where it is another's. */
const HOME = /^(\+?[A-Za-z0-9_-]{1,64})?$/;

function homeIn(reply: unknown): string {
  const text = textIn(reply);
  if (!HOME.test(text)) throw new Error('not a home');
  return text;
}

/** Where a room of that name without a home would be: there is none. */
function placeOf(name: string): RoomId {
  return roomId(name, '');
}

import type { Restored } from '../../domain/restore.ts';
import { ok, type Result, refuse } from '../../domain/result.ts';
import { formatRecord } from '../../domain/room-record.ts';
import { serializeState } from '../../domain/room-state.ts';
import { LEASE_MS } from '../leases.ts';
import type { OnMalformed } from '../malformed.ts';
import type { Barrier, ContributionOutcome, HandedIn, Rebuilds } from '../rebuilds.ts';
import type { RunScript } from './commands.ts';
import type { Keys } from './keys.ts';
import type { Lives } from './lives.ts';
import { reading, textIn, textsIn } from './replies.ts';
import { fieldsFromState, readFields, trimmedFromFields } from './room-fields.ts';
import { ROOM_TTL_MS } from './room-log.ts';

/** How long a node that knows nobody waits for the others to come back to a Redis that has just started. */
const FRESH_MS = 1_500;
const CONTRIBUTION_TTL_MS = 3_600_000;

/** Barriers and contributions in Redis itself, in keys that name the life they are for. */
export function redisRebuilds(run: RunScript, keys: Keys, lives: Lives, onMalformed: OnMalformed): Rebuilds {
  async function barrier(
    life: string,
    phase: 'enter' | 'done' | 'look',
    self: { incarnation: string; nodeId: string; hosts?: boolean },
    known: readonly string[] = [],
  ): Promise<Result<Barrier, 'unavailable'>> {
    const reply = await run(
      'barrier',
      [keys.marker, keys.barrier(life), keys.leases],
      life,
      self.incarnation,
      self.nodeId,
      phase,
      LEASE_MS,
      FRESH_MS,
      self.hosts === true ? 1 : 0,
      ...known,
    );
    if (!reply.ok) return reply;
    const read = reading('reply', onMalformed, () => textsIn(reply.value, 1));
    if (!read.ok) return read;
    const [stage, ...contributors] = read.value;
    if (stage === 'lost') return refuse('unavailable');
    return ok({ isSealed: stage === 'sealed', contributors });
  }

  return {
    onUnsealed: () => {},
    onUnopened: () => {},
    seal: (life) => lives.seal(life),
    enter: (life, self, known) => barrier(life, 'enter', self, known),
    done: (life, incarnation) => barrier(life, 'done', { incarnation, nodeId: '' }),
    look: (life, incarnation) => barrier(life, 'look', { incarnation, nodeId: '' }),

    async contribute(room, life, incarnation, at, contribution) {
      const hand = async (text: string): Promise<Result<ContributionOutcome | 'wanted', 'unavailable'>> => {
        const reply = await run(
          'contribute',
          [keys.state(room), keys.log(room), keys.restore(room), keys.closed(room)],
          life,
          incarnation,
          at.epoch,
          at.seq,
          text,
          CONTRIBUTION_TTL_MS,
        );
        return reply.ok ? reading('reply', onMalformed, () => outcomeIn(reply.value)) : reply;
      };
      const asked = await hand('');
      if (!asked.ok || asked.value !== 'wanted') return asked as Result<ContributionOutcome, 'unavailable'>;
      return (await hand(contribution())) as Result<ContributionOutcome, 'unavailable'>;
    },

    async remains(room, life) {
      const reply = await run('contributions', [keys.state(room), keys.log(room), keys.restore(room)], life);
      if (!reply.ok) return reply;
      if (typeof reply.value === 'string') return ok(undefined);
      return reading('reply', onMalformed, () => {
        const [fields, entries, restore] = Array.isArray(reply.value) ? reply.value : [];
        const [flat, records] = [textsIn(fields), textsIn(entries)];
        const state = readFields(flat);
        // Of a room that was spoilt there is what nodes know.
        if (state === 'malformed') onMalformed('state');
        const left =
          state === undefined || state === 'malformed'
            ? undefined
            : { state: serializeState(state), records, trimmed: trimmedFromFields(flat, state) };
        return { left, handedIn: handedInFrom(textsIn(restore)) };
      });
    },

    async open(room, life, restored) {
      const reply = await run(
        'open',
        [keys.state(room), keys.log(room), keys.restore(room)],
        life,
        ROOM_TTL_MS,
        ...roomArguments(restored),
      );
      return reply.ok ? ok(reply.value === 'opened') : reply;
    },
  };
}

const OUTCOMES: readonly string[] = ['taken', 'open', 'closed', 'elsewhere', 'wanted'];

function outcomeIn(reply: unknown): ContributionOutcome | 'wanted' {
  const text = textIn(reply);
  if (!OUTCOMES.includes(text)) throw new Error('not an outcome');
  return text as ContributionOutcome;
}

/** The hash of contributions: each in a field that names who made it. */
function handedInFrom(flat: readonly string[]): HandedIn[] {
  const handedIn: HandedIn[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const field = flat[at] ?? '';
    if (field.startsWith('c:')) handedIn.push({ by: field.slice(2), text: flat[at + 1] ?? '' });
  }
  return handedIn;
}

function roomArguments(restored: Restored | 'ended' | undefined): (string | number)[] {
  if (restored === undefined) return [0];
  if (restored === 'ended') return [-1];
  const { state, records } = restored;
  const entries = records.map((record) => ({ seq: record.seq, text: formatRecord(record) }));
  let bytes = 0;
  for (const { text } of entries) bytes += Buffer.byteLength(text);
  const fields = fieldsFromState(restored, { first: records[0]?.seq ?? state.seq + 1, bytes });
  return [fields.length, ...fields, ...entries.flatMap(({ seq, text }) => [seq, text])];
}

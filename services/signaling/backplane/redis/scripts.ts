import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * Each of one room that this life of the Redis knows. Their first four keys are the marker of the home, the room's hash, its
 * stream, and what nodes handed in of it.
 */
const ROOM_SCRIPTS = [
  'host',
  'join',
  'verify',
  'resume',
  'release',
  'replay',
  'detach',
  'leave',
  'update',
  'moderate',
  'send',
  'read',
  'snapshot',
  'glance',
  'state',
  'sweep',
  'claim',
] as const;

/** Of any number of rooms: the marker, and then of each room the other three keys. */
const ROOMS_SCRIPTS = ['relay', 'attest'] as const;

const HOME_SCRIPTS = [
  'lease',
  'order',
  'report',
  'rooms',
  'barrier',
  'contribute',
  'contributions',
  'open',
  'reclaim',
  'mend',
] as const;

const ENDING_SCRIPTS: readonly string[] = ['leave', 'moderate'];

export type RoomScript = (typeof ROOM_SCRIPTS)[number];
export type RoomsScript = (typeof ROOMS_SCRIPTS)[number];
export type ScriptName = RoomScript | RoomsScript | (typeof HOME_SCRIPTS)[number];

export interface Script {
  readonly lua: string;
  /** By which Redis knows it. */
  readonly sha: string;
}

const ROOM_PARTS = ['prelude', 'log', 'rings', 'answers'];

export const SCRIPTS = Object.fromEntries([
  ...ROOM_SCRIPTS.map((name) => {
    const endings = ENDING_SCRIPTS.includes(name) ? ['endings'] : [];
    return [name, load(...ROOM_PARTS, 'members', 'one-room', ...endings, name)];
  }),
  ...ROOMS_SCRIPTS.map((name) => [name, load(...ROOM_PARTS, name)]),
  ...HOME_SCRIPTS.map((name) => [name, load(name)]),
]) as Readonly<Record<ScriptName, Script>>;

function load(...parts: readonly string[]): Script {
  const lua = parts.map((part) => readFileSync(new URL(`./${part}.lua`, import.meta.url), 'utf8')).join('\n');
  return { lua, sha: hash('sha1', lua) };
}

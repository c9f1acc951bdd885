import { readFileSync } from 'node:fs';

/**
 * How many keys each script takes. Those of a room are about one that this life of the Redis knows; the first four of their
 * keys are the marker of the home, the room's hash, its stream, and what nodes handed in of it.
 */
const ROOM_SCRIPTS = {
  host: 4,
  join: 7,
  verify: 4,
  resume: 6,
  release: 6,
  replay: 4,
  detach: 5,
  leave: 6,
  update: 4,
  moderate: 5,
  send: 4,
  read: 5,
  snapshot: 4,
  glance: 4,
  state: 4,
  sweep: 4,
  claim: 4,
} as const;

/** Of any number of rooms: the marker, and then of each room the other three. Their first argument is how many keys there are. */
const ROOMS_SCRIPTS = { relay: undefined, attest: undefined } as const;

const HOME_SCRIPTS = {
  lease: 3,
  order: 3,
  report: 2,
  rooms: 1,
  barrier: 3,
  contribute: 4,
  contributions: 3,
  open: 3,
  reclaim: 1,
} as const;

const ENDING_SCRIPTS: ReadonlySet<string> = new Set(['leave', 'moderate']);

export const SCRIPTS = { ...ROOM_SCRIPTS, ...ROOMS_SCRIPTS, ...HOME_SCRIPTS };
export type RoomScript = keyof typeof ROOM_SCRIPTS;
export type RoomsScript = keyof typeof ROOMS_SCRIPTS;
export type ScriptName = keyof typeof SCRIPTS;

export type Scripts = Record<string, { lua: string; numberOfKeys?: number }>;

/** ioredis's `scripts` option. */
export function loadScripts(): Scripts {
  const parts = (name: string) => [
    ...(name in HOME_SCRIPTS ? [] : ['prelude', 'log', 'rings', 'answers']),
    ...(name in ROOM_SCRIPTS ? ['members', 'one-room'] : []),
    ...(ENDING_SCRIPTS.has(name) ? ['endings'] : []),
    name,
  ];
  return Object.fromEntries(
    Object.entries(SCRIPTS).map(([name, numberOfKeys]) => [
      commandName(name as ScriptName),
      { lua: parts(name).map(read).join('\n'), ...(numberOfKeys === undefined ? {} : { numberOfKeys }) },
    ]),
  );
}

export function commandName(script: ScriptName): string {
  return `fenghuo_${script}`;
}

function read(name: string): string {
  return readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
}

import { readFileSync } from 'node:fs';

/**
 * How many keys each script takes. Those behind the prelude are about a room that this life of the Redis knows; the
 * first three of their keys are its hash, its stream, and the marker of the home.
 */
const ROOM_SCRIPTS = {
  join: 5,
  verify: 3,
  resume: 3,
  replay: 3,
  detach: 3,
  leave: 5,
  relay: 3,
  update: 3,
  read: 3,
  snapshot: 3,
  state: 3,
  attest: 3,
  sweep: 3,
} as const;

const HOME_SCRIPTS = {
  lease: 3,
  order: 3,
  barrier: 3,
  contribute: 4,
  contributions: 3,
  open: 3,
} as const;

export const SCRIPTS = { ...ROOM_SCRIPTS, ...HOME_SCRIPTS };
export type RoomScript = keyof typeof ROOM_SCRIPTS;
export type ScriptName = keyof typeof SCRIPTS;

export type Scripts = Record<string, { lua: string; numberOfKeys: number }>;

/** ioredis's `scripts` option. */
export function loadScripts(): Scripts {
  const prelude = read('prelude');
  return Object.fromEntries(
    Object.entries(SCRIPTS).map(([name, numberOfKeys]) => [
      commandName(name as ScriptName),
      { lua: name in ROOM_SCRIPTS ? `${prelude}\n${read(name)}` : read(name), numberOfKeys },
    ]),
  );
}

export function commandName(script: ScriptName): string {
  return `fenghuo_${script}`;
}

function read(name: string): string {
  return readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
}

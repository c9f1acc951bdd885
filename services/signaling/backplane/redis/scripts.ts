import { readFileSync } from 'node:fs';

/**
 * How many keys each script takes. Those behind the prelude are about a room that this life of the Redis knows; the
 * first four of their keys are its hash, its stream, the marker of the home, and what nodes handed in of it.
 */
const ROOM_SCRIPTS = {
  join: 6,
  verify: 4,
  resume: 5,
  release: 5,
  replay: 4,
  detach: 4,
  leave: 6,
  relay: 4,
  update: 4,
  moderate: 5,
  send: 4,
  read: 5,
  snapshot: 4,
  glance: 4,
  state: 4,
  attest: 4,
  sweep: 4,
  claim: 4,
} as const;

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

export const SCRIPTS = { ...ROOM_SCRIPTS, ...HOME_SCRIPTS };
export type RoomScript = keyof typeof ROOM_SCRIPTS;
export type ScriptName = keyof typeof SCRIPTS;

export type Scripts = Record<string, { lua: string; numberOfKeys: number }>;

/** ioredis's `scripts` option. */
export function loadScripts(): Scripts {
  const prelude = read('prelude');
  const endings = read('endings');
  const before = (name: string) => {
    if (!(name in ROOM_SCRIPTS)) return '';
    return ENDING_SCRIPTS.has(name) ? `${prelude}\n${endings}\n` : `${prelude}\n`;
  };
  return Object.fromEntries(
    Object.entries(SCRIPTS).map(([name, numberOfKeys]) => [
      commandName(name as ScriptName),
      { lua: before(name) + read(name), numberOfKeys },
    ]),
  );
}

export function commandName(script: ScriptName): string {
  return `fenghuo_${script}`;
}

function read(name: string): string {
  return readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
}

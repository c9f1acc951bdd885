import { readFileSync } from 'node:fs';

/** How many keys each script takes. Of those about a room, the first two are its hash and its stream. */
export const SCRIPTS = {
  join: 3,
  leave: 3,
  relay: 2,
  update: 2,
  read: 2,
  snapshot: 2,
  attest: 2,
  sweep: 2,
  lease: 1,
} as const;
export type ScriptName = keyof typeof SCRIPTS;

export type Scripts = Record<string, { lua: string; numberOfKeys: number }>;

/** ioredis's `scripts` option: each transition behind the shared prelude. */
export function loadScripts(): Scripts {
  const prelude = read('prelude');
  return Object.fromEntries(
    Object.entries(SCRIPTS).map(([name, numberOfKeys]) => [
      commandName(name as ScriptName),
      { lua: `${prelude}\n${read(name)}`, numberOfKeys },
    ]),
  );
}

export function commandName(script: ScriptName): string {
  return `fenghuo_${script}`;
}

function read(name: string): string {
  return readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
}

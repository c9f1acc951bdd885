/** A person's colour, by name, the same on every page: one of dusk, from blue over violet and red to amber. */
export function hueOf(name: string): number {
  let hash = SEED;
  for (const letter of name) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  hash ^= hash >>> 15;
  return (205 + ((hash >>> 0) % 190)) % 360;
}

/** Any number would do; this one sets the names of our own pictures well apart. */
const SEED = 272;

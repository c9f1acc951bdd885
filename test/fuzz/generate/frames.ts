import { ODD_FRAMES } from '../corpus/frames.ts';
import type { Step } from '../steps.ts';
import { chance, pick, type Random, whole } from './dice.ts';

const FRAGMENTS_FEW = 6;
const FRAGMENTS_MANY = 200;
const ATTACHMENTS_MAX = 4;

export function oddFrame(random: Random): Step {
  return { do: 'frame', frame: pick(random, ODD_FRAMES) };
}

export function fragments(text: string, random: Random): Step {
  const count = 2 + whole(random, chance(random, 0.1) ? FRAGMENTS_MANY : FRAGMENTS_FEW);
  const between = chance(random, 0.4)
    ? { between: { at: whole(random, count), frame: pick(random, ODD_FRAMES) } }
    : {};
  return { do: 'fragments', text, count, ...between, isWhole: chance(random, 0.8) };
}

/** Binary frames after a packet that announced attachments: as many as announced, too many, or too few. */
export function attachments(random: Random): readonly Step[] {
  return Array.from({ length: whole(random, ATTACHMENTS_MAX) }, (): Step => {
    if (chance(random, 0.2)) return { do: 'packet', text: 'bAQID' };
    return { do: 'frame', frame: { opcode: 2, payload: '\x01\x02\x03' } };
  });
}

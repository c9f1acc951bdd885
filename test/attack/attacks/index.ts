import type { Attack } from '../attack.ts';
import { AMPLIFYING_ATTACKS } from './amplifiers.ts';
import { BUDGET_ATTACKS, FULL_SPEED_ATTACKS } from './budgets.ts';
import { FRAGMENT_ATTACKS } from './fragments.ts';
import { HANDSHAKE_ATTACKS } from './handshake.ts';
import { PLACE_ATTACKS } from './places.ts';
import { REFUSAL_ATTACKS } from './refusals.ts';
import { ROOM_ATTACKS } from './rooms.ts';
import { TOKEN_ATTACKS } from './tokens.ts';

/** All ways to do harm, in the order of the table in docs/reliability.md. */
export const ATTACKS: readonly Attack[] = [
  ...HANDSHAKE_ATTACKS,
  ...FRAGMENT_ATTACKS,
  ...PLACE_ATTACKS,
  ...BUDGET_ATTACKS,
  ...ROOM_ATTACKS,
  ...TOKEN_ATTACKS,
  ...AMPLIFYING_ATTACKS,
  ...REFUSAL_ATTACKS,
  ...FULL_SPEED_ATTACKS,
].sort((a, b) => rank(a) - rank(b));

/** A row's kinds stay in their order: the sort is stable. */
function rank({ id }: Attack): number {
  const row = id.split('-')[0] ?? '';
  return ['A1', 'A2', 'A3', 'B1', 'B2', 'B3', 'B4', 'B5', 'B6', 'B7', 'B8', 'FULL', 'FLOOD'].indexOf(row);
}

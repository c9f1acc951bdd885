/** Whether a node has more than its share of the cluster's clients, as it looked at the last beats. */
export interface Balance {
  /** Beats in a row in which the node was far over the mean. */
  beatsOver: number;
  isShedding: boolean;
}

export const BALANCED: Readonly<Balance> = { beatsOver: 0, isShedding: false };

/** Far over the mean, where shedding begins; and so near to it that it ends. What lies between keeps nodes from swinging. */
const BEGINS = { times: 1.25, plus: 20 };
const ENDS = { times: 1.05, plus: 5 };
/** A node that restarts, or a storm, is over by then. */
const BEATS_BEFORE = 5;
/** Of what is over the mean, in each beat. */
const SHARE_MIN = 0.02;
const SHARE_MAX = 0.05;

/**
 * How many clients a node asks to go elsewhere in this beat. `own` are its clients without those who have just been
 * asked, `others` the clients of each other node that takes some. `chance` is in [0, 1).
 */
export function toRebalance(
  balance: Balance,
  own: number,
  others: readonly number[],
  chance: number,
): number {
  const mean = [own, ...others].reduce((sum, each) => sum + each, 0) / (others.length + 1);
  const isOver = others.length > 0 && own > BEGINS.times * mean + BEGINS.plus;
  balance.beatsOver = isOver ? balance.beatsOver + 1 : 0;
  balance.isShedding = balance.isShedding
    ? others.length > 0 && own > ENDS.times * mean + ENDS.plus
    : balance.beatsOver >= BEATS_BEFORE;
  if (!balance.isShedding) return 0;
  return Math.ceil((own - mean) * (SHARE_MIN + chance * (SHARE_MAX - SHARE_MIN)));
}

import { type Logger, pino } from 'pino';

export type Log = Logger;

/**
 * One JSON event per fact, with a stable name in `event`. Never tokens, session descriptions or candidates: they
 * are secrets or addresses.
 */
export function openLog(level: string, node: string, region: string): Log {
  return pino({ level, base: { node, region }, timestamp: pino.stdTimeFunctions.isoTime });
}

import { type Logger, pino } from 'pino';

export type Log = Logger;

/**
 * One JSON event per fact, with a stable name in `event`. Never tokens, session descriptions or candidates: they
 * are secrets or addresses.
 */
export function openLog(level: string, node: string, region: string): Log {
  return pino({ level, base: { node, region }, timestamp: pino.stdTimeFunctions.isoTime }, STDOUT);
}

/** Not pino's own destination: what that one flushes at exit never ends where the reader is gone (sonic-boom 4.2). */
const STDOUT = { write: (line: string) => void process.stdout.write(line) };

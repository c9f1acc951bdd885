/** One thing that was looked at, and how it is. */
export interface Finding {
  readonly level: Level;
  /** What was looked at, in a word or two. */
  readonly check: string;
  /** What was found; of a fault, its cause. Never a secret. */
  readonly text: string;
  /** What to do, in words to paste. */
  readonly cure?: string;
}

/** `warning`: works, and will not always, or not for everybody. `fault`: does not work. */
export type Level = 'ok' | 'warning' | 'fault';

export function ok(check: string, text: string): Finding {
  return { level: 'ok', check, text };
}

export function warning(check: string, text: string, cure: string): Finding {
  return { level: 'warning', check, text, cure };
}

export function fault(check: string, text: string, cure: string): Finding {
  return { level: 'fault', check, text, cure };
}

/** The promise's outcome, or a rejection once the time is over. */
export function within<Value>(timeoutMs: number, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1_000} s`)), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Of an error, what tells most: ECONNREFUSED and its like, or its own words. */
export function reasonOf(error: unknown): string {
  const { code, message, cause, errors } = error as {
    code?: string;
    message?: string;
    cause?: unknown;
    errors?: unknown[];
  };
  if (Array.isArray(errors) && errors.length > 0) return reasonOf(errors[0]);
  if (cause instanceof Error) return reasonOf(cause);
  return typeof code === 'string' && /^E[A-Z]+/.test(code) ? code : (message ?? String(error));
}

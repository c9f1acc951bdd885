import { ERRORS, type ErrorCode, type WireError, wireError } from '@fenghuo/protocol';

/** What a request comes to: the acknowledgement, and what is due once it is written. */
export type Reply =
  | { readonly ok: true; readonly value: object; readonly afterReply?: () => void }
  | { readonly ok: false; readonly error: WireError };

export function accepted(value: object, afterReply?: () => void): Reply {
  return afterReply === undefined ? { ok: true, value } : { ok: true, value, afterReply };
}

/** Answers that are not final say when the same request is worth sending again. */
export function refused(code: ErrorCode, message?: string, retryAfterMs?: number): Reply {
  const retry = retryAfterMs ?? (ERRORS[code].retry === 'resend' ? RETRY_AFTER_MS : undefined);
  return { ok: false, error: wireError(code, message, retry) };
}

const RETRY_AFTER_MS = 500;

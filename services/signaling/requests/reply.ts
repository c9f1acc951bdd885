import {
  ERRORS,
  type ErrorCode,
  ROOM_METADATA_BYTES_MAX,
  type WireError,
  wireError,
} from '@fenghuo/protocol';
import type { Refusal } from '../domain/result.ts';

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

/** The refusal of a room. Its `too_large` is about the metadata of all members, not about the request alone. */
export function refusedByRoom({ code, retryAfterMs }: Refusal<ErrorCode>): Reply {
  return refused(code, code === 'too_large' ? METADATA_FULL : undefined, retryAfterMs);
}

const METADATA_FULL = `The metadata of all members of the room would be over ${ROOM_METADATA_BYTES_MAX} bytes; bring less.`;

const RETRY_AFTER_MS = 500;

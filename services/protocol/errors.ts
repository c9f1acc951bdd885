/**
 * When a client may send the same request again:
 * `never` (the answer is final), `later` (it may succeed when something else has changed),
 * `resend` (the answer is not final: send the same id again, after `retry_after_ms`).
 */
export type Retry = 'never' | 'later' | 'resend';

interface ErrorEntry {
  readonly retry: Retry;
  readonly text: string;
}

/** Every code a client may see. Codes are never renamed or reused. */
export const ERRORS = {
  invalid_request: { retry: 'never', text: 'The request does not match the protocol.' },
  unknown_request: { retry: 'never', text: 'This node knows no request of that name.' },
  not_joined: { retry: 'later', text: 'Join a room first.' },
  already_joined: { retry: 'never', text: 'This connection is already in a room; leave it first.' },
  unauthorized: { retry: 'never', text: 'The token is missing, invalid or expired.' },
  forbidden: { retry: 'never', text: 'The role does not permit this.' },
  media_forbidden: {
    retry: 'never',
    text: 'Muted: what is sent must not hold a kind that the peer is muted in.',
  },
  origin_forbidden: {
    retry: 'never',
    text: 'Pages of this origin may not connect; add it to ALLOWED_ORIGINS.',
  },
  room_full: { retry: 'later', text: 'The room already holds as many peers as it may.' },
  room_locked: { retry: 'later', text: 'The room is locked.' },
  banned: { retry: 'never', text: 'Banned from this room.' },
  peer_not_found: { retry: 'never', text: 'No other peer of that id is in the room.' },
  session_expired: { retry: 'never', text: 'The session is over; join anew.' },
  session_replaced: { retry: 'resend', text: 'The session continues on a newer connection.' },
  too_large: { retry: 'never', text: 'The payload is larger than MESSAGE_BYTES_MAX.' },
  rate_limited: { retry: 'resend', text: 'Too much at once; slow down.' },
  node_full: { retry: 'later', text: 'The node holds as many connections as it may.' },
  draining: { retry: 'resend', text: 'The node is being drained; connect to another.' },
  unavailable: { retry: 'resend', text: 'The outcome is unknown: the backplane did not answer in time.' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** The error object of an acknowledgement, and the `data` of a `connect_error`. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Present where waiting helps: milliseconds until the next try is worth making. */
  readonly retry_after_ms?: number;
}

/** Builds a wire error; `message` says what to do where the code's own text is too general. */
export function wireError(code: ErrorCode, message?: string, retryAfterMs?: number): WireError {
  const error = { code, message: message ?? ERRORS[code].text };
  return retryAfterMs === undefined ? error : { ...error, retry_after_ms: retryAfterMs };
}

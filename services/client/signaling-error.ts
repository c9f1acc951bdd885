import { ERRORS, type ErrorCode, type WireError } from '@fenghuo/protocol';

/** A refusal by a node, or its silence (`unavailable`). Decide on `code`; `message` is for a developer. */
export class SignalingError extends Error {
  override readonly name = 'SignalingError';
  readonly code: ErrorCode;
  /** Where waiting helps and the node says how long. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message?: string, retryAfterMs?: number) {
    super(message ?? ERRORS[code]?.text ?? code);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  /** Reads the error object of an acknowledgement or of a `connect_error`; undefined where it is none. */
  static from(data: unknown): SignalingError | undefined {
    if (typeof data !== 'object' || data === null) return undefined;
    const { code, message, retry_after_ms: retryAfterMs } = data as Partial<WireError>;
    if (typeof code !== 'string') return undefined;
    return new SignalingError(code, typeof message === 'string' ? message : undefined, retryAfterMs);
  }

  /** Whether the same request is worth sending again. A code that this version does not know is final. */
  get isFinal(): boolean {
    return ERRORS[this.code]?.retry !== 'resend';
  }
}

/** An expected outcome: a value, or a refusal with a stable code. */
export type Result<Value, Code extends string = never> =
  | { readonly ok: true; readonly value: Value }
  | Refusal<Code>;

export interface Refusal<Code extends string> {
  readonly ok: false;
  readonly code: Code;
  /** When the same may succeed, where that is known. */
  readonly retryAfterMs?: number;
}

export function ok<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

export function refuse<Code extends string>(code: Code, retryAfterMs?: number): Refusal<Code> {
  return retryAfterMs === undefined ? { ok: false, code } : { ok: false, code, retryAfterMs };
}

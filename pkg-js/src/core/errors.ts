// The one error class that applications meet. What the codes mean is in docs/protocol.md; their sentences are not in the
// bundle, because every error comes with its own.

import { RETRYABLE_ERRORS } from "../generated/codes.js";
import type { ErrorCode } from "../generated/protocol.js";

export type { ErrorCode };

/** Every rejection and every `error` event of Everwire is one of these. */
export class EverwireError extends Error {
  /** What happened, from the protocol's one list of codes. */
  readonly code: ErrorCode;
  /** Whether the same call, made again later, can succeed. */
  readonly retry: boolean;
  /** When to try again at the earliest, in ms from when the error was made. */
  declare readonly retryAfterMs?: number;

  constructor(code: string, message: string, retryAfterMs?: number) {
    super(message);
    this.name = "EverwireError";
    this.code = code as ErrorCode;
    this.retry = RETRYABLE_ERRORS.includes(this.code);
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }
}

/** @internal Makes an error of what the core threw: `{code, message}`, or anything at all if it broke. */
export function asError(cause: unknown): EverwireError {
  if (cause instanceof EverwireError) return cause;
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
  const text = typeof message === "string" ? message : String(cause);
  return new EverwireError(typeof code === "string" ? code : "internal", text);
}

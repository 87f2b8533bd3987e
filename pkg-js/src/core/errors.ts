// The error class of the package. docs/protocol.md describes the codes; their messages are not in the bundle, because every
// error carries its own.

import { MESSAGES } from "../generated/bindings.js";
import { RETRYABLE_ERRORS } from "../generated/codes.js";
import type { ErrorCode } from "../generated/protocol.js";

export type { ErrorCode };

/** Every rejection and every `error` event of Everwire is one of these. */
export class EverwireError extends Error {
  /** The error code of the protocol. */
  readonly code: ErrorCode;
  /** Whether the same call can succeed later. */
  readonly retry: boolean;
  /** The earliest time for a retry, in ms after the error. */
  declare readonly retryAfterMs?: number;

  constructor(code: string, message = MESSAGES[code], retryAfterMs?: number) {
    super(message);
    this.name = "EverwireError";
    this.code = code as ErrorCode;
    this.retry = RETRYABLE_ERRORS.includes(this.code);
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }
}

/** @internal Converts what the core threw: `{ code }`, or anything if it trapped. */
export function asError(cause: unknown): EverwireError {
  if (cause instanceof EverwireError) return cause;
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === "string") return new EverwireError(code, message as string | undefined);
  return new EverwireError("internal", typeof message === "string" ? message : String(cause));
}

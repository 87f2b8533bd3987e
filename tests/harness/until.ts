// Polling for conditions. Tests never wait for a fixed time.

/** The polling interval, in ms. */
const INTERVAL_MS = 20;

/**
 * Waits until `look` returns something other than undefined, null or false, and returns it. After `timeoutMs` it fails,
 * and reports what was waited for and what was seen last.
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  { timeoutMs = 45_000, seen }: { timeoutMs?: number; seen?: () => unknown } = {},
): Promise<Exclude<T, undefined | null | false>> {
  const start = Date.now();
  let failure: unknown;
  for (;;) {
    try {
      const value = await look();
      failure = undefined;
      if (value !== undefined && value !== null && value !== false)
        return value as Exclude<T, undefined | null | false>;
    } catch (error) {
      failure = error;
    }
    if (Date.now() - start > timeoutMs) {
      const last = seen ? `; last seen: ${JSON.stringify(await seen())}` : "";
      // Included in the message, since reports may leave out the cause.
      const why = failure instanceof Error ? `; last error: ${failure.message}` : "";
      throw new Error(`timed out after ${timeoutMs} ms waiting until ${what}${last}${why}`, {
        cause: failure,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
}

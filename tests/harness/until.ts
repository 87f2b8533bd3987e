// Waiting for something to become true. Tests never wait for a time to pass.

/** How often it is looked at again, in ms. */
const INTERVAL_MS = 20;

/**
 * Waits until `look` gives something other than undefined, null or false, and returns it. After `timeoutMs` it fails, and
 * says what was waited for and what was seen last.
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
      // Said with the rest: a report may leave out the cause.
      const why = failure instanceof Error ? `; at last: ${failure.message}` : "";
      throw new Error(`waited ${timeoutMs} ms in vain until ${what}${last}${why}`, { cause: failure });
    }
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
}

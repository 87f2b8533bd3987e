// Loads the rest of a list that a server has cut, one page at a time.

import type { EverwireError } from "./errors.js";

/** How long to wait before a page that was refused is requested again, if the server does not say, in ms. */
const PAUSE_MS = 1000;

/**
 * Requests the pages after `after`, until there is no next one or the list is no longer wanted: because it is loaded anew, or
 * its subscription has ended.
 */
export async function loadPages<Page extends { next?: string | null | undefined }>(
  request: (after: string | undefined) => Promise<Page>,
  take: (page: Page) => void,
  wanted: () => boolean,
  after?: string | undefined,
): Promise<void> {
  for (let next: string | null | undefined = after; wanted(); ) {
    try {
      const page = await request(next ?? undefined);
      if (!wanted()) return;
      take(page);
      next = page.next;
      if (next == null) return;
    } catch (error) {
      const { retry, retryAfterMs = PAUSE_MS } = error as EverwireError;
      if (!retry) return;
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
    }
  }
}

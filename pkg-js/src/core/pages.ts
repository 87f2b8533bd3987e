// Loads the rest of a list that a server has cut, one page at a time.

import type { EverwireError } from "./errors.js";

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
  for (let next = after; wanted(); ) {
    try {
      const page = await request(next);
      if (!wanted()) break;
      take(page);
      if (page.next == null) break;
      next = page.next;
    } catch (error) {
      const { retry, retryAfterMs = 1000 } = error as EverwireError;
      if (!retry) break;
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
    }
  }
}

// Loads the rest of a list that a server has cut, one page at a time.

import { EverwireError } from "./errors.js";
import type { ClientPort } from "./port.js";

/**
 * Requests the pages after `after`, until there is no next one or the list is no longer wanted: because it is loaded anew, or
 * its subscription has ended. A server that names a page again, which would never end, is reported as an error of the client.
 */
export async function loadPages<Page extends { next?: string | null | undefined }>(
  client: Pick<ClientPort, "_emitError">,
  request: (after: string | undefined) => Promise<Page>,
  take: (page: Page) => void,
  wanted: () => boolean,
  after?: string | undefined,
): Promise<void> {
  const asked = new Set([after]);
  for (let next = after; wanted(); ) {
    try {
      const page = await request(next);
      if (!wanted()) break;
      take(page);
      if (page.next == null) break;
      next = page.next;
      if (asked.has(next)) {
        client._emitError(new EverwireError("protocol_violation", "The server repeats the pages of a list."));
        break;
      }
      asked.add(next);
    } catch (error) {
      const { retry, retryAfterMs = 1000 } = error as EverwireError;
      if (!retry) break;
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
    }
  }
}

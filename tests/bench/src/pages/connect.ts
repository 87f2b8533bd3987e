// What the pages of `bench connect` share: one client each, imported when the page runs, timed until the first message
// has been delivered. The parameters are in the page's URL, the result is in `outcome`.

import type { Open, Target } from "./clients/client.js";

/** Times in ms after the import began. */
export interface Connected {
  readonly imported: number;
  readonly connected: number;
  readonly first: number;
}

export function run(load: () => Promise<Open>): void {
  const target = JSON.parse(decodeURIComponent(location.hash.slice(1))) as Target;
  const began = performance.now();
  const since = () => performance.now() - began;
  const outcome = (async (): Promise<Connected> => {
    const open = await load();
    const imported = since();
    let connected = Number.POSITIVE_INFINITY;
    return new Promise((resolve) => {
      open(target, {
        connected() {
          connected = Math.min(connected, since());
        },
        message() {
          const first = since();
          // A client may deliver before it reports that it is connected.
          setTimeout(() => resolve({ imported, connected: Math.min(connected, first), first }));
        },
      });
    });
  })();
  Object.assign(globalThis, { outcome });
}

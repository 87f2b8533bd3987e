// The live region that reads out the announcer's text. It is always rendered: screen readers ignore a region that is
// inserted together with its text.

import { useSyncExternalStore } from "react";
import type { Announcer } from "../page/announcer";

export function LiveRegion({ announcer }: { announcer: Announcer }) {
  const text = useSyncExternalStore(
    (listener) => announcer.subscribe(listener),
    () => announcer.text,
  );
  return (
    <div className="visually-hidden" role="status" aria-live="polite" data-testid="announced">
      {text}
    </div>
  );
}

// The live region that speaks what the announcer was told. There from the start: a region that comes with its text is silent.

import { useSyncExternalStore } from "react";
import type { Announcer } from "./announcer";

export function Announced({ announcer }: { announcer: Announcer }) {
  const text = useSyncExternalStore(
    (listener) => announcer.subscribe(listener),
    () => announcer.text,
  );
  return (
    <div className="hidden" role="status" aria-live="polite" data-testid="announced">
      {text}
    </div>
  );
}

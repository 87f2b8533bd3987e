// Toasts: incoming notifications are shown for a few seconds and announced. They stay in the bell's list.

import { XIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { useMessenger } from "../messenger/context";
import type { NotificationItem } from "../messenger/messengerApi";

/** How long a toast is shown, in ms: enough to read two sentences. */
const SHOWN_MS = 7_000;
/** Maximum number of toasts. */
const MOST = 3;

export function Toasts() {
  const { notifications } = useMessenger();
  const [shown, setShown] = useState<readonly NotificationItem[]>([]);

  useEffect(
    () => notifications.on("notification", (item) => setShown((all) => [...all, item].slice(-MOST))),
    [notifications],
  );

  const gone = (id: string) => setShown((all) => all.filter((item) => item.id !== id));

  return (
    // Always rendered: screen readers ignore a region that is inserted together with its text.
    <div className="toasts" role="status" aria-label="New notifications">
      {shown.map((item) => (
        <Toast key={item.id} item={item} onGone={() => gone(item.id)} />
      ))}
    </div>
  );
}

function Toast({ item, onGone }: { item: NotificationItem; onGone(): void }) {
  const [held, setHeld] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the time begins anew only when it is let go
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(onGone, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [held]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it stays while it is looked at
    <div
      className="toast"
      data-testid="toast"
      data-priority={item.data.priority ?? "normal"}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <div>
        <strong dir="auto">{item.data.title}</strong>
        <p dir="auto">{item.data.message}</p>
      </div>
      <button
        type="button"
        className="icon-button small"
        aria-label={`Dismiss: ${item.data.title}`}
        onClick={onGone}
      >
        <XIcon />
      </button>
    </div>
  );
}

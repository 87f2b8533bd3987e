// A person's status as a dot: filled, ring or empty, so that it does not depend on colour. Decorative unless it has a
// label.

import type { Status } from "../messenger/messengerApi";

export function StatusDot({ status, label }: { status: Status | undefined; label?: string }) {
  return (
    <span
      className="status-dot"
      data-status={status ?? "offline"}
      {...(label ? { role: "img", "aria-label": label, title: label } : { "aria-hidden": true })}
    />
  );
}

// Whether somebody can be reached, as a dot: full, ring with a gap, empty, so that it needs no colour. Decoration unless it is
// given a label.

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

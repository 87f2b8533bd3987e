// Roving focus in a list: one tab stop, and arrow keys, Home and End inside.

import type { KeyboardEvent } from "react";

/** For `onKeyDown` of a list: moves the focus among the elements that match `selector`. */
export function moveFocus(event: KeyboardEvent<HTMLElement>, selector: string): void {
  if (!["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>(selector)];
  const at = all.findIndex((element) => element.contains(document.activeElement));
  if (at < 0) return;
  const last = all.length - 1;
  const to = { ArrowDown: Math.min(at + 1, last), ArrowUp: Math.max(at - 1, 0), Home: 0, End: last }[
    event.key
  ];
  event.preventDefault();
  all[to ?? at]?.focus();
}

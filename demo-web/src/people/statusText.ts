// Status and lists of names as text.

import type { Status, StatusChoice } from "../messenger/messengerApi";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const LONG_AGO = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

/** Roughly how long ago. */
export function ago(at: number, now: number): string {
  const passed = Math.max(0, now - at);
  if (passed < MINUTE) return "just now";
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min ago`;
  if (passed < DAY) return `${Math.floor(passed / HOUR)} h ago`;
  if (passed < 2 * DAY) return "yesterday";
  return LONG_AGO.format(at);
}

export interface Reachable {
  readonly status?: Status | undefined;
  readonly lastSeen?: number | undefined;
}

/** The status in a few words. */
export function statusText({ status, lastSeen }: Reachable, now: number): string {
  if (status === "online") return "online";
  if (status === "away") return "away";
  return lastSeen === undefined ? "offline" : `last seen ${ago(lastSeen, now)}`;
}

export const CHOICES: Readonly<Record<StatusChoice, { name: string; description: string }>> = {
  auto: { name: "Automatic", description: "Online while you are here, away when you are not" },
  online: { name: "Online", description: "Even while you are away" },
  away: { name: "Away", description: "Until you choose otherwise" },
  offline: { name: "Offline", description: "You still receive everything" },
};

/** “Ada”, “Ada and Grace”, “Ada, Grace and Linus”, “Ada, Grace and 3 others”. */
export function joinNames(names: readonly string[], most = 3): string {
  if (names.length <= 1) return names[0] ?? "";
  if (names.length > most) {
    const shown = names.slice(0, most - 1);
    return `${shown.join(", ")} and ${names.length - shown.length} others`;
  }
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** The typing indicator; empty when nobody types. */
export function typingText(names: readonly string[]): string {
  if (names.length === 0) return "";
  return `${joinNames(names)} ${names.length === 1 ? "is" : "are"} typing…`;
}

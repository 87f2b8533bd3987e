// Formats the result of `bench faults`.

import { spread } from "../run/statistics.js";
import { columns } from "../run/table.js";
import { LIMIT_MS } from "./blocked.js";
import { CUT_MS, PUBLISHED } from "./cut.js";
import type { Result } from "./faults.js";
import { SILENCES } from "./silence.js";

export function table({ browser, rounds, silences, blocked, cuts }: Result): string {
  const names = blocked.map(({ name }) => name);
  const after = (name: string, of: (typeof SILENCES)[number]["event"]) => {
    const found = silences.find((one) => one.name === name && one.event === of);
    return times(found?.ms ?? [], found?.limit_ms ?? 0);
  };
  return [
    `${rounds} rounds, ${browser}; medians, and the lowest and the highest`,
    `dead socket until connected again\n${columns([
      ["", ...SILENCES.map(({ event }) => (event === "none" ? "no event" : event))],
      ...names.map((name) => [name, ...SILENCES.map(({ event }) => after(name, event))]),
    ])}`,
    `WebSocket refused, until the first message\n${columns(
      blocked.map(({ name, ms }) => [
        name,
        ms.length > 0 ? times(ms, LIMIT_MS, "never") : "needs another server",
      ]),
    )}`,
    `a cut of ${CUT_MS / 1000} s while ${PUBLISHED} messages were published\n${columns([
      ["", "lost", "duplicated", "subscribed again after the cut"],
      ...cuts.map(({ name, lost, duplicated, subscribed_ms }) => [
        name,
        counts(lost),
        counts(duplicated),
        times(subscribed_ms, Number.POSITIVE_INFINITY, "not seen"),
      ]),
    ])}`,
  ].join("\n\n");
}

/** In seconds. What exceeded the limit counts as longer than everything else. */
function times(ms: readonly (number | null)[], limitMs: number, never = `> ${limitMs / 1000} s`): string {
  const { median, lowest, highest } = spread(ms.map((one) => one ?? Number.MAX_SAFE_INTEGER));
  const text = (value: number) => (value > 1e9 ? never : `${(value / 1000).toFixed(2)} s`);
  return lowest > 1e9 || ms.length === 1
    ? text(median)
    : `${text(median)} (${text(lowest)} – ${text(highest)})`;
}

function counts(values: readonly number[]): string {
  const { median, lowest, highest } = spread(values);
  return lowest === highest ? String(median) : `${median} (${lowest} – ${highest})`;
}

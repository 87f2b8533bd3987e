// Short times: the time today, the weekday this week, otherwise the date.

const TIME = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const DAY_MS = 24 * 60 * 60 * 1000;

export function shortTime(at: number, now: number): string {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (at >= midnight) return TIME.format(at);
  return at > midnight - 6 * DAY_MS ? WEEKDAY.format(at) : DATE.format(at);
}

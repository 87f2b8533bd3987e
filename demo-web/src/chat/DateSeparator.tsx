// Separates two days.

const THIS_YEAR = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const OTHER_YEAR = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });
const DAY_MS = 24 * 60 * 60 * 1000;

export function DateSeparator({ at }: { at: number }) {
  return (
    <div className="day">
      <h2>{dayName(at)}</h2>
    </div>
  );
}

function dayName(at: number): string {
  const day = new Date(at);
  const now = new Date();
  if (day.toDateString() === now.toDateString()) return "Today";
  if (day.toDateString() === new Date(now.getTime() - DAY_MS).toDateString()) return "Yesterday";
  return day.getFullYear() === now.getFullYear() ? THIS_YEAR.format(day) : OTHER_YEAR.format(day);
}

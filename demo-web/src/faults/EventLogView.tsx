// The event log: state changes with their reasons, faults and gaps, newest first.

import { useSyncExternalStore } from "react";
import type { EventLog } from "./eventLog";

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

export function EventLogView({ eventLog }: { eventLog: EventLog }) {
  const entries = useSyncExternalStore(
    (listener) => eventLog.subscribe(listener),
    () => eventLog.entries,
  );
  return (
    <section className="event-log" id="lab-log" aria-labelledby="event-log-title">
      <h3 id="event-log-title">Event log</h3>
      {entries.length === 0 && <p className="muted">Nothing yet.</p>}
      <ol>
        {entries.map((entry) => (
          <li key={entry.key} data-kind={entry.kind} data-testid="log-entry">
            <time dateTime={new Date(entry.at).toISOString()}>{CLOCK.format(entry.at)}</time>
            <p>
              <strong>{entry.title}</strong>
              {entry.reason !== "" && <span className="event-log-reason"> {entry.reason}</span>}
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}

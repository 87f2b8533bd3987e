// "What happened": every change of the connection with its reason, every fault, every gap. Newest first.

import { useSyncExternalStore } from "react";
import type { Journal } from "./eventLog";

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

export function History({ journal }: { journal: Journal }) {
  const entries = useSyncExternalStore(
    (listener) => journal.subscribe(listener),
    () => journal.entries,
  );
  return (
    <section className="journal" id="lab-log" aria-labelledby="journal-title">
      <h3 id="journal-title">What happened</h3>
      {entries.length === 0 && <p className="quiet">Nothing yet.</p>}
      <ol>
        {entries.map((entry) => (
          <li key={entry.key} data-kind={entry.kind} data-testid="journal-entry">
            <time dateTime={new Date(entry.at).toISOString()}>{CLOCK.format(entry.at)}</time>
            <p>
              <strong>{entry.title}</strong>
              {entry.reason !== "" && <span className="journal-reason"> {entry.reason}</span>}
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}

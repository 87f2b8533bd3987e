// "Break it": the faults that a visitor can cause, what came of them, and the counts that have to stay at zero.

import { type ReactNode, useId, useSyncExternalStore } from "react";
import { CloseIcon } from "../app/icons";
import type { Journal } from "./journal";
import type { FaultLayer } from "./layer";
import type { Counts, Tally } from "./tally";

interface Props {
  layer: FaultLayer;
  tally: Tally;
  journal: Journal;
  onClose(): void;
}

export function FaultPanel({ layer, tally, journal, onClose }: Props) {
  const faults = useSyncExternalStore(
    (listener) => layer.subscribe(listener),
    () => layer.state,
  );

  return (
    <aside className="faults" id="faults" aria-labelledby="faults-title">
      <header className="faults-head">
        <h2 id="faults-title">Break it</h2>
        <button type="button" className="icon-button" aria-label="Close the fault panel" onClick={onClose}>
          <CloseIcon />
        </button>
      </header>
      <p className="quiet">
        These are real: the page’s own sockets and requests fail, underneath the client. Keep writing, and see
        what arrives.
      </p>

      <div className="fault-list">
        <FaultButton
          label="Drop the socket"
          says="Cuts the connection once, like a cable pulled and put back. Three useless sockets in a row, or six useful but short ones, look like a proxy that kills them: then the client takes to polling."
          onClick={() => {
            const { sockets, requests } = layer.live;
            journal.add("fault", "You dropped the connection", liveWords(sockets, requests));
            layer.drop();
          }}
        />
        <FaultSwitch
          label="Block WebSocket"
          says="Like a proxy that refuses it: the client has to go on by polling."
          on={faults.websocketBlocked}
          onChange={(on) => {
            journal.add("fault", on ? "You blocked WebSocket" : "You unblocked WebSocket");
            layer.blockWebSocket(on);
          }}
        />
        <FaultSwitch
          label="Go offline"
          says="No network at all. What you write waits."
          on={faults.offline}
          onChange={(on) => {
            journal.add("fault", on ? "You went offline" : "You came back");
            layer.goOffline(on);
          }}
        />
      </div>

      <Numbers tally={tally} />
      <Log journal={journal} />
    </aside>
  );
}

function liveWords(sockets: number, requests: number): string {
  if (sockets + requests === 0) return "Nothing was connected just then";
  return [sockets > 0 && "a WebSocket was cut", requests > 0 && "a request was cut"]
    .filter(Boolean)
    .join(", ");
}

function FaultButton({ label, says, onClick }: { label: string; says: string; onClick(): void }) {
  const id = useId();
  return (
    <div className="fault">
      <p id={id}>{says}</p>
      <button type="button" className="button" aria-describedby={id} onClick={onClick}>
        {label}
      </button>
    </div>
  );
}

function FaultSwitch(props: { label: string; says: string; on: boolean; onChange(on: boolean): void }) {
  const { label, says, on, onChange } = props;
  const id = useId();
  return (
    <div className="fault">
      <p id={id}>{says}</p>
      <button
        type="button"
        role="switch"
        className="switch"
        aria-checked={on}
        aria-describedby={id}
        onClick={() => onChange(!on)}
      >
        <span className="switch-track" aria-hidden="true" />
        {label}
      </button>
    </div>
  );
}

const NAMES: readonly (readonly [keyof Counts, string, string])[] = [
  ["sent", "Sent", "by this page"],
  ["acked", "Acked", "stored by the server"],
  ["received", "Received", "by this page, its own included"],
  ["duplicated", "Duplicated", "received twice"],
  ["lost", "Lost", "without a word"],
  ["missing", "Missing", "said so by the server: a gap"],
];

function Numbers({ tally }: { tally: Tally }) {
  const counts = useSyncExternalStore(
    (listener) => tally.subscribe(listener),
    () => tally.counts,
  );
  return (
    <section className="numbers" aria-labelledby="numbers-title">
      <h3 id="numbers-title">Messages</h3>
      <dl>
        {NAMES.map(([name, title, says]) => (
          <Figure key={name} name={name} title={title} says={says} value={counts[name]} />
        ))}
      </dl>
    </section>
  );
}

function Figure({
  name,
  title,
  says,
  value,
}: {
  name: keyof Counts;
  title: string;
  says: string;
  value: number;
}) {
  const bad = (name === "duplicated" || name === "lost") && value > 0;
  return (
    <div className="number" data-bad={bad}>
      <dt title={says}>{title}</dt>
      <dd data-testid={`count-${name}`}>{value}</dd>
    </div>
  );
}

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

function Log({ journal }: { journal: Journal }) {
  const entries = useSyncExternalStore(
    (listener) => journal.subscribe(listener),
    () => journal.entries,
  );
  return (
    <section className="journal" aria-labelledby="journal-title">
      <h3 id="journal-title">What happened</h3>
      {entries.length === 0 && <p className="quiet">Nothing yet.</p>}
      <ol>
        {entries.map((entry) => (
          <li key={entry.key} data-kind={entry.kind} data-testid="journal-entry">
            <time dateTime={new Date(entry.at).toISOString()}>{CLOCK.format(entry.at)}</time>
            <p>
              <strong>{entry.title}</strong>
              {entry.reason !== "" && <Reason>{entry.reason}</Reason>}
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Reason({ children }: { children: ReactNode }) {
  return <span className="journal-reason"> {children}</span>;
}

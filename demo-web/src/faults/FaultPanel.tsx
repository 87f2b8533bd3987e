// "Break it": the faults that a visitor can cause, what came of them, and the counts that have to stay at zero.

import type { Client } from "everwire";
import { CloseIcon } from "../app/icons";
import type { Lab } from "../app/services";
import { Numbers } from "./Counters";
import { History } from "./EventLogView";
import { Faults } from "./Faults";
import { Report } from "./Report";
import { TimelineView } from "./TimelineView";

interface Props {
  lab: Lab;
  /** None before one has a name. */
  client?: Client;
  onClose(): void;
}

const PARTS = [
  ["lab-timeline", "Timeline"],
  ["lab-counts", "Counts"],
  ["lab-faults", "Faults"],
  ["lab-log", "Log"],
] as const;

/** Brings a part to the top of the panel, for the eye and for the keyboard. A link would change the room. */
function show(id: string): void {
  const part = document.getElementById(id);
  part?.scrollIntoView({ block: "start" });
  const heading = part?.querySelector("h3");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: true });
}

export function FaultPanel({ lab, client, onClose }: Props) {
  return (
    <aside className="faults" id="faults" aria-labelledby="faults-title">
      <header className="faults-head">
        <h2 id="faults-title">Break it</h2>
        <nav className="lab-nav" aria-label="Parts of the fault panel">
          {PARTS.map(([id, name]) => (
            <button key={id} type="button" className="link" onClick={() => show(id)}>
              {name}
            </button>
          ))}
        </nav>
        <button type="button" className="icon-button" aria-label="Close the fault panel" onClick={onClose}>
          <CloseIcon />
        </button>
      </header>
      <p className="quiet">
        These are real: the page’s own sockets and requests fail, underneath the client. Keep writing, and see
        what arrives.
      </p>
      <TimelineView timeline={lab.timeline} clock={lab.layer.clock} />
      <Numbers lab={lab} client={client} />
      <Faults lab={lab} />
      {client && <Report client={client} />}
      <History journal={lab.journal} />
    </aside>
  );
}

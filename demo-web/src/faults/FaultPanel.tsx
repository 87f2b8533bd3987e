// The fault panel: faults to inject, the timeline of what happened, and the message counters.

import type { Client } from "everwire";
import { XIcon } from "lucide-react";
import { Counters } from "./Counters";
import { EventLogView } from "./EventLogView";
import { Faults } from "./Faults";
import { Report } from "./Report";
import type { FaultLab } from "./services";
import { TimelineView } from "./TimelineView";

interface Props {
  lab: FaultLab;
  /** Undefined before sign-in. */
  client?: Client;
  onClose(): void;
}

const PARTS = [
  ["lab-timeline", "Timeline"],
  ["lab-counts", "Counts"],
  ["lab-faults", "Faults"],
  ["lab-log", "Log"],
] as const;

/** Scrolls to a section and focuses its heading. A link would change the route. */
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
        <nav className="lab-nav" aria-label="Sections of the fault panel">
          {PARTS.map(([id, name]) => (
            <button key={id} type="button" className="link" onClick={() => show(id)}>
              {name}
            </button>
          ))}
        </nav>
        <button type="button" className="icon-button" aria-label="Close the fault panel" onClick={onClose}>
          <XIcon />
        </button>
      </header>
      <p className="muted">
        These faults are real: the page’s sockets and requests fail underneath the client. Keep writing and
        see what arrives.
      </p>
      <TimelineView timeline={lab.timeline} clock={lab.layer.clock} />
      <Counters lab={lab} client={client} />
      <Faults lab={lab} />
      {client && <Report client={client} />}
      <EventLogView eventLog={lab.eventLog} />
    </aside>
  );
}

// The counts that have to stay at zero, the ones that show that something happened at all, and the switch that makes it happen.

import type { Client } from "everwire";
import { useMemo, useSyncExternalStore } from "react";
import type { Lab } from "../app/services";
import { type TrafficState, trafficOf } from "./automaticTraffic";
import type { Counts, Tally } from "./deliveryCounters";
import { FaultSwitch } from "./FaultControls";

interface Props {
  lab: Lab;
  client: Client | undefined;
}

export function Numbers({ lab, client }: Props) {
  return (
    <section className="numbers" id="lab-counts" aria-labelledby="numbers-title">
      <h3 id="numbers-title">Messages</h3>
      {client && <AutomaticTraffic lab={lab} client={client} />}
      <Figures tally={lab.tally} />
    </section>
  );
}

function AutomaticTraffic({ lab: { tally, trips, journal }, client }: { lab: Lab; client: Client }) {
  const traffic = useMemo(() => trafficOf(client, tally, trips), [client, tally, trips]);
  const state = useSyncExternalStore(
    (listener) => traffic.subscribe(listener),
    () => traffic.state,
  );
  return (
    <>
      <FaultSwitch
        label="Automatic traffic"
        says="Five numbered messages a second, into a room that only this page is in. What comes back is compared with what was sent, by id."
        on={state.on}
        onChange={(on) => {
          journal.add("room", on ? "You started the automatic traffic" : "You stopped the automatic traffic");
          if (on) traffic.start();
          else traffic.stop();
        }}
      />
      {(state.on || state.sent > 0) && <Comparison {...state} />}
    </>
  );
}

function Comparison({ sent, back, onTheWay, twice, never, disordered, refused }: TrafficState) {
  const wrong = twice + never + disordered > 0;
  return (
    <p
      className="comparison"
      data-testid="traffic"
      data-bad={wrong}
      data-sent={sent}
      data-back={back}
      data-on-the-way={onTheWay}
      data-twice={twice}
      data-never={never}
      data-disordered={disordered}
      data-refused={refused}
    >
      <b>{back}</b> of <b>{sent}</b> came back, {onTheWay} on the way.{" "}
      {wrong
        ? `Twice ${twice}, never ${never}, out of order ${disordered}.`
        : "None twice, none missing, all in order."}
      {refused > 0 && ` ${refused} refused, with an error.`}
    </p>
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

function Figures({ tally }: { tally: Tally }) {
  const counts = useSyncExternalStore(
    (listener) => tally.subscribe(listener),
    () => tally.counts,
  );
  return (
    <dl>
      {NAMES.map(([name, title, says]) => (
        <div key={name} className="number" data-bad={isBad(name) && counts[name] > 0}>
          <dt title={says}>{title}</dt>
          <dd data-testid={`count-${name}`}>{counts[name]}</dd>
        </div>
      ))}
    </dl>
  );
}

function isBad(name: keyof Counts): boolean {
  return name === "duplicated" || name === "lost";
}

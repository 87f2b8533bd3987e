// The message counters, and the switch for the automatic traffic.

import type { Client } from "everwire";
import { useMemo, useSyncExternalStore } from "react";
import { type TrafficState, trafficOf } from "./automaticTraffic";
import type { Counts, DeliveryCounters } from "./deliveryCounters";
import { FaultSwitch } from "./FaultControls";
import type { FaultLab } from "./services";

interface Props {
  lab: FaultLab;
  client: Client | undefined;
}

export function Counters({ lab, client }: Props) {
  return (
    <section className="numbers" id="lab-counts" aria-labelledby="numbers-title">
      <h3 id="numbers-title">Messages</h3>
      {client && <AutomaticTraffic lab={lab} client={client} />}
      <CounterList counters={lab.counters} />
    </section>
  );
}

function AutomaticTraffic({
  lab: { counters, roundTrips, eventLog },
  client,
}: {
  lab: FaultLab;
  client: Client;
}) {
  const traffic = useMemo(() => trafficOf(client, counters, roundTrips), [client, counters, roundTrips]);
  const state = useSyncExternalStore(
    (listener) => traffic.subscribe(listener),
    () => traffic.state,
  );
  return (
    <>
      <FaultSwitch
        label="Automatic traffic"
        description="Five numbered messages a second, on a channel that only this page uses. What comes back is compared with what was sent."
        on={state.on}
        onChange={(on) => {
          eventLog.add(
            "room",
            on ? "You started the automatic traffic" : "You stopped the automatic traffic",
          );
          if (on) traffic.start();
          else traffic.stop();
        }}
      />
      {(state.on || state.sent > 0) && <Comparison {...state} />}
    </>
  );
}

function Comparison({ sent, back, inFlight, duplicated, lost, outOfOrder, refused }: TrafficState) {
  const wrong = duplicated + lost + outOfOrder > 0;
  return (
    <p
      className="comparison"
      data-testid="traffic"
      data-bad={wrong}
      data-sent={sent}
      data-back={back}
      data-in-flight={inFlight}
      data-duplicated={duplicated}
      data-lost={lost}
      data-out-of-order={outOfOrder}
      data-refused={refused}
    >
      <b>{back}</b> of <b>{sent}</b> came back, {inFlight} in flight.{" "}
      {wrong
        ? `Duplicated ${duplicated}, lost ${lost}, out of order ${outOfOrder}.`
        : "No duplicates, none lost, all in order."}
      {refused > 0 && ` ${refused} rejected with an error.`}
    </p>
  );
}

const COUNTERS: readonly (readonly [keyof Counts, string, string])[] = [
  ["sent", "Sent", "by this page"],
  ["acked", "Acked", "stored by the server"],
  ["received", "Received", "by this page, including its own"],
  ["duplicated", "Duplicated", "received twice"],
  ["lost", "Lost", "without a gap event"],
  ["missing", "Missing", "in gaps that the server declared"],
];

function CounterList({ counters }: { counters: DeliveryCounters }) {
  const counts = useSyncExternalStore(
    (listener) => counters.subscribe(listener),
    () => counters.counts,
  );
  return (
    <dl>
      {COUNTERS.map(([name, title, description]) => (
        <div key={name} className="number" data-bad={isBad(name) && counts[name] > 0}>
          <dt title={description}>{title}</dt>
          <dd data-testid={`count-${name}`}>{counts[name]}</dd>
        </div>
      ))}
    </dl>
  );
}

function isBad(name: keyof Counts): boolean {
  return name === "duplicated" || name === "lost";
}

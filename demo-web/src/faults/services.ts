// Services that exist once per page, independent of the user and the current page.

import { Announcer } from "../page/announcer";
import { DeliveryCounters } from "./deliveryCounters";
import { EventLog } from "./eventLog";
import { FaultLayer } from "./faultLayer";
import { activeFaults } from "./faultState";
import { RoundTrips } from "./roundTrips";
import { Timeline } from "./timeline";

/** What the fault panel shows and controls. */
export interface FaultLab {
  readonly layer: FaultLayer;
  readonly counters: DeliveryCounters;
  readonly eventLog: EventLog;
  readonly timeline: Timeline;
  readonly roundTrips: RoundTrips;
}

export interface Services extends FaultLab {
  readonly announcer: Announcer;
}

export function createServices(): Services {
  const layer = new FaultLayer();
  const timeline = new Timeline();
  const eventLog = new EventLog();
  let before = layer.state;
  layer.subscribe(() => {
    const { state } = layer;
    timeline.inForce(activeFaults(state));
    // These two faults end automatically.
    if (before.frozen && !state.frozen) eventLog.add("fault", "The page is no longer frozen");
    if (before.restarting && !state.restarting) eventLog.add("fault", "The server is reachable again");
    before = state;
  });
  return {
    layer,
    timeline,
    roundTrips: new RoundTrips(timeline),
    counters: new DeliveryCounters(),
    eventLog,
    announcer: new Announcer(),
  };
}

// What there is once per page, whoever the visitor is and whichever room is open.

import { Tally } from "../faults/deliveryCounters";
import { Journal } from "../faults/eventLog";
import { FaultLayer } from "../faults/faultLayer";
import { activeFaults } from "../faults/faultState";
import { Trips } from "../faults/roundTrips";
import { Timeline } from "../faults/timeline";
import { Announcer } from "./announcer";

/** What the fault panel shows, and works on. */
export interface Lab {
  readonly layer: FaultLayer;
  readonly tally: Tally;
  readonly journal: Journal;
  readonly timeline: Timeline;
  readonly trips: Trips;
}

export interface Surroundings extends Lab {
  readonly announcer: Announcer;
}

export function makeSurroundings(): Surroundings {
  const layer = new FaultLayer();
  const timeline = new Timeline();
  const journal = new Journal();
  let before = layer.state;
  layer.subscribe(() => {
    const { state } = layer;
    timeline.inForce(activeFaults(state));
    // These two end by themselves.
    if (before.frozen && !state.frozen) journal.add("fault", "The page thawed");
    if (before.restarting && !state.restarting) journal.add("fault", "The server can be reached again");
    before = state;
  });
  return {
    layer,
    timeline,
    trips: new Trips(timeline),
    tally: new Tally(),
    journal,
    announcer: new Announcer(),
  };
}

// What there is once per page, whoever the visitor is and whichever room is open.

import { Journal } from "../faults/journal";
import { FaultLayer } from "../faults/layer";
import { Tally } from "../faults/tally";
import { Announcer } from "./announcer";

export interface Surroundings {
  readonly layer: FaultLayer;
  readonly tally: Tally;
  readonly journal: Journal;
  readonly announcer: Announcer;
}

export function makeSurroundings(): Surroundings {
  return { layer: new FaultLayer(), tally: new Tally(), journal: new Journal(), announcer: new Announcer() };
}

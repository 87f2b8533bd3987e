// Round trips, measured on the page's own messages: from the moment at which one goes to the network for the first time until
// the server says that it is stored. What is lost on the way and sent again takes as long as it takes; waiting in the outbox
// without a connection does not count.

import type { Outgoing } from "everwire";
import type { Timeline } from "./timeline";

export class Trips {
  readonly #timeline: Timeline;
  readonly #sent = new Map<string, number>();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  sending({ id, status }: Pick<Outgoing, "id" | "status">, now = performance.now()): void {
    const since = this.#sent.get(id);
    if (status === "sent" && since === undefined) this.#sent.set(id, now);
    if (status !== "stored" && status !== "failed") return;
    this.#sent.delete(id);
    if (status === "stored" && since !== undefined) this.#timeline.trip(now - since);
  }
}

// Measures round trips of the page's own messages: from the moment at which a message is first sent until the server
// has stored it. Retransmissions count; time in the outbox without a connection does not.

import type { Outgoing } from "everwire";
import type { Timeline } from "./timeline";

export class RoundTrips {
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
    if (status === "stored" && since !== undefined) this.#timeline.addRoundTrip(now - since);
  }
}

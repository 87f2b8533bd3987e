// Has everything counted that a channel says: what became of its messages, and how long they took.

import type { Channel } from "everwire";
import { ChannelTally, type Tally } from "./deliveryCounters";
import type { Trips } from "./roundTrips";

/** A function for `subscribed` listeners: is it a new beginning, or the same subscription after a reconnect? */
export function beginnings<Events extends object>(channel: Channel<Events>): () => boolean {
  let last: unknown;
  return () => {
    // As long as a subscription lasts, `subscribe` gives the same promise: another one is a new beginning.
    const current = channel.subscribe();
    const afresh = current !== last;
    last = current;
    return afresh;
  };
}

/** Once per channel. */
export function countChannel<Events extends object>(
  channel: Channel<Events>,
  tally: Tally,
  trips: Trips,
): void {
  const counts = new ChannelTally(tally);
  const isAfresh = beginnings(channel);
  channel.on("gap", ({ from, to, reason }) => counts.gap(from, to, reason));
  channel.on("subscribed", ({ epoch, offset }) => counts.subscribed(epoch, offset, isAfresh()));
  channel.on("message", ({ id, offset }) => counts.message(id, offset));
  channel.on("event", ({ id, offset }: { id: string; offset: number }) => counts.message(id, offset, false));
  channel.on("sending", (outgoing) => {
    trips.sending(outgoing);
    const { id, status, offset } = outgoing;
    if (status === "queued") counts.sent(id);
    if (status === "stored" && offset !== undefined) counts.acked(id, offset);
  });
}

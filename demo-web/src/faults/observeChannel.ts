// Feeds the counters and the round trips with the events of a channel.

import type { Channel } from "everwire";
import { ChannelCounter, type DeliveryCounters } from "./deliveryCounters";
import type { RoundTrips } from "./roundTrips";

/** Returns a function for `subscribed` listeners that tells whether the subscription is new or resumed. */
export function newSubscriptionDetector<Events extends object>(channel: Channel<Events>): () => boolean {
  let last: unknown;
  return () => {
    // `subscribe` returns the same promise while a subscription lasts; another promise means a new subscription.
    const current = channel.subscribe();
    const isNew = current !== last;
    last = current;
    return isNew;
  };
}

/** To be called once per channel. */
export function observeChannel<Events extends object>(
  channel: Channel<Events>,
  counters: DeliveryCounters,
  roundTrips: RoundTrips,
): void {
  const counts = new ChannelCounter(counters);
  const isNewSubscription = newSubscriptionDetector(channel);
  channel.on("gap", ({ from, to, reason }) => counts.gap(from, to, reason));
  channel.on("subscribed", ({ epoch, offset }) => counts.subscribed(epoch, offset, isNewSubscription()));
  channel.on("message", ({ id, offset }) => counts.message(id, offset));
  channel.on("event", ({ id, offset }: { id: string; offset: number }) => counts.message(id, offset, false));
  channel.on("sending", (outgoing) => {
    roundTrips.sending(outgoing);
    const { id, status, offset } = outgoing;
    if (status === "queued") counts.sent(id);
    if (status === "stored" && offset !== undefined) counts.acked(id, offset);
  });
}

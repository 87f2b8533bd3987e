// Observes the channels of all chats: counts their messages, and logs their gaps and errors.

import type { Channel, Client } from "everwire";
import { MESSAGES_PREFIX } from "../../../protocol/generated/protocol";
import { missingReason, missingTitle } from "../chat/missingMessages";
import { titleOf } from "../chats/titles";
import { observeChannel } from "../faults/observeChannel";
import type { Services } from "../faults/services";
import type { Chats } from "../messenger/messengerApi";

/** Called before a chat is opened, so that its replay is counted too. */
export function observeChats(
  client: Client,
  chats: Chats,
  { counters, roundTrips, eventLog }: Services,
): () => void {
  const counted = observedChannels(client);
  const update = () => {
    for (const { id } of chats.list) {
      if (counted.has(id)) continue;
      counted.add(id);
      const channel: Channel = client.channel(MESSAGES_PREFIX + id);
      const title = () => {
        const chat = chats.get(id);
        return chat ? titleOf(chat, client.user ?? "") : id;
      };
      observeChannel(channel, counters, roundTrips);
      channel.on("gap", (gap) =>
        eventLog.add("room", `${missingTitle(gap)} in ${title()}`, missingReason(gap.reason)),
      );
      channel.on("subscribed", ({ offset, head, recovered }) => {
        if (recovered && head > offset)
          eventLog.add("room", `Catching up in ${title()}`, `${head - offset} missed`);
      });
      channel.on("error", ({ code, message }) => eventLog.add("error", `${title()}: ${code}`, message));
    }
  };
  update();
  return chats.on("change", update);
}

const byClient = new WeakMap<Client, Set<string>>();

function observedChannels(client: Client): Set<string> {
  const known = byClient.get(client) ?? new Set<string>();
  byClient.set(client, known);
  return known;
}

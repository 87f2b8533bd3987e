// Has the messages of all chats counted that one has opened, and the gaps in them noted.

import type { Channel, Client } from "everwire";
import type { Surroundings } from "../app/services";
import { missingTitle, whyMissing } from "../chat/missingMessages";
import { titleOf } from "../chats/titles";
import type { Chats } from "../messenger/messengerApi";
import { countChannel } from "./observeChannel";

/** Before a chat is opened: then its replay is counted too. */
export function countChats(
  client: Client,
  chats: Chats,
  { tally, trips, journal }: Surroundings,
): () => void {
  const counted = countedBy(client);
  const look = () => {
    for (const { id } of chats.list) {
      if (counted.has(id)) continue;
      counted.add(id);
      const channel: Channel = client.channel(`private-chat.${id}`);
      const title = () => {
        const chat = chats.get(id);
        return chat ? titleOf(chat, client.user ?? "") : id;
      };
      countChannel(channel, tally, trips);
      channel.on("gap", (gap) =>
        journal.add("room", `${missingTitle(gap)} in ${title()}`, whyMissing(gap.reason)),
      );
      channel.on("subscribed", ({ offset, head, recovered }) => {
        if (recovered && head > offset)
          journal.add("room", `Catching up in ${title()}`, `${head - offset} missed`);
      });
      channel.on("error", ({ code, message }) => journal.add("error", `${title()}: ${code}`, message));
    }
  };
  look();
  return chats.on("change", look);
}

const byClient = new WeakMap<Client, Set<string>>();

function countedBy(client: Client): Set<string> {
  const known = byClient.get(client) ?? new Set<string>();
  byClient.set(client, known);
  return known;
}

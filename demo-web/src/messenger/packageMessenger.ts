// The messenger's client, made of the package's connection and its chats.

import type { Client } from "everwire";
import { createChat } from "everwire/chat";
import type { MessengerClient } from "./messengerApi";

export function packageMessenger(client: Client): MessengerClient {
  const chat = createChat(client);
  return {
    get user() {
      return client.user;
    },
    get state() {
      return client.state;
    },
    get chats() {
      return chat.chats;
    },
    get notifications() {
      return chat.notifications;
    },
    room: (id) => chat.room(id),
    channel: (name) => client.channel(name),
    setStatus: (status) => client.setStatus(status),
  };
}

// Chats and notifications of one client. The client knows nothing of them, so a page that does not use them does not
// download them.

import type { Client } from "../core/client.js";
import { ChatList } from "./chat-list.js";
import { ChatRoom } from "./chat-room.js";
import { KeptLogs } from "./kept-logs.js";
import { NotificationList } from "./notifications.js";
import type { ChatPort } from "./port.js";

const chatClients = new WeakMap<ChatPort, ChatClient>();

/** The chats and notifications of a client. Always the same object for the same client. */
export function createChat(client: Client): ChatClient {
  const chat = chatClients.get(client) ?? new ChatClient(client);
  chatClients.set(client, chat);
  return chat;
}

/** The user's chats and notifications. Created by `createChat`. */
export class ChatClient {
  readonly #client: ChatPort;
  readonly #rooms = new Map<string, ChatRoom>();
  readonly #kept: KeptLogs;
  /** @internal Does not start to follow it. */
  readonly _chats: ChatList;
  /** @internal Does not start to follow it. */
  readonly _notifications: NotificationList;

  /** @internal */
  constructor(client: ChatPort) {
    this.#client = client;
    this.#kept = new KeptLogs(client);
    this._chats = new ChatList(client);
    this._notifications = new NotificationList(client);
  }

  /** The user's chats, requested on first use. */
  get chats(): ChatList {
    return this._chats._follow();
  }

  /** The user's notifications, requested on first use. */
  get notifications(): NotificationList {
    return this._notifications._follow();
  }

  /** The chat with this id: always the same object. Throws `invalid_channel`. */
  room(id: string): ChatRoom {
    const room = this.#rooms.get(id) ?? new ChatRoom(this.#client, this._chats, this.#kept, id);
    this.#rooms.set(id, room);
    return room;
  }
}

// A client of the in-memory server: the part of the API that the messenger uses, without a connection.

import type { ConnectionState } from "everwire";
import type {
  Chat,
  Chats,
  MessengerChannel,
  MessengerClient,
  NotificationItem,
  Notifications,
  Room,
  StatusChoice,
  Unsubscribe,
} from "../messenger/messengerApi";
import { FakeChannel } from "./channel";
import { follow, remembered } from "./observe";
import { FakeRoom } from "./room";
import type { FakeServer } from "./server";

const CONNECTED: ConnectionState = {
  status: "connected",
  transport: "websocket",
  reason: "this is a server in memory",
};

export class FakeClient implements MessengerClient {
  readonly state = CONNECTED;
  readonly chats: Chats;
  readonly notifications: Notifications;
  readonly #rooms = new Map<string, FakeRoom>();
  readonly #channels = new Map<string, FakeChannel>();

  constructor(
    readonly server: FakeServer,
    readonly user: string,
    name: string,
  ) {
    server.names.set(user, name);
    server.statuses.set(user, "online");
    this.chats = this.#chats();
    this.notifications = this.#notifications();
    server.changed();
  }

  on(): Unsubscribe {
    return () => undefined;
  }

  /** Only the board has data. */
  channel(name: string): MessengerChannel {
    const channel = this.#channels.get(name) ?? new FakeChannel(name);
    this.#channels.set(name, channel);
    return channel;
  }

  room(id: string): Room {
    const known = this.#rooms.get(id) ?? new FakeRoom(this.server, this.user, id);
    this.#rooms.set(id, known);
    return known;
  }

  async setStatus(status: StatusChoice): Promise<void> {
    this.server.statuses.set(this.user, status === "auto" ? "online" : status);
    this.server.changed();
  }

  #chats(): Chats {
    const { server, user: me } = this;
    const list = remembered(server, () =>
      [...server.chats.values()]
        .map((chat) => server.view(chat, me))
        .filter((chat): chat is Chat => chat !== undefined)
        .sort((a, b) => b.at - a.at),
    );
    const found = (id: string): Chat => {
      const chat = list().find((chat) => chat.id === id);
      if (!chat) throw new Error("Chat not found.");
      return chat;
    };
    return {
      ready: Promise.resolve(),
      get list() {
        return list();
      },
      get unread() {
        return list().reduce((sum, { unread }) => sum + unread, 0);
      },
      get: (id) => list().find((chat) => chat.id === id),
      on: (_, listener) => follow(server, list, listener),
      create: async ({ title, open, users }) => {
        const chat = server.make({ owner: me, ...(title && { title }), ...(open && { open }) });
        server.change(chat, me, { action: "created", ...(title && { title }) });
        for (const user of users) {
          chat.members.set(user, "invited");
          server.change(chat, me, { action: "invited", user, name: server.names.get(user) });
        }
        return found(chat.id);
      },
      direct: async (user) => {
        const known = list().find(
          ({ kind, members }) => kind === "direct" && members.some((m) => m.user === user),
        );
        if (known) return known;
        const chat = server.make({ kind: "direct", owner: me });
        chat.members.set(user, "member");
        server.change(chat, me, { action: "created" });
        return found(chat.id);
      },
      join: async (id) => {
        const chat = server.chats.get(id);
        if (!chat) throw new Error("Chat not found.");
        chat.members.set(me, "member");
        server.change(chat, me, { action: "joined", user: me });
        return found(id);
      },
    };
  }

  #notifications(): Notifications {
    const { server, user: me } = this;
    const read = new Set<string>();
    const list = remembered(server, () =>
      server.notifications
        .filter(({ to }) => to === undefined || to === me)
        .map(({ id, at, data }): NotificationItem => ({ id, at, data, read: read.has(id) }))
        .reverse(),
    );
    const delivered = new Set<string>();
    return {
      get list() {
        return list();
      },
      get unread() {
        return list().filter((item) => !item.read).length;
      },
      markRead: (id) => {
        for (const item of list()) if (id === undefined || item.id === id) read.add(item.id);
        server.changed();
      },
      on: (event: string, listener: (item: NotificationItem) => void): Unsubscribe =>
        follow(server, list, () => {
          if (event === "change") return (listener as () => void)();
          for (const item of list()) {
            if (delivered.has(item.id)) continue;
            delivered.add(item.id);
            listener(item);
          }
        }),
    };
  }
}

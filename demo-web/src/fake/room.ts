// A chat room of the in-memory client.

import { MESSAGES_PREFIX } from "../../../protocol/generated/protocol";
import type {
  ChatRow,
  Member,
  Room,
  RoomChannel,
  Typist,
  Unsubscribe,
  UserReceipt,
} from "../messenger/messengerApi";
import { follow, remembered } from "./observe";
import type { FakeChat, FakeServer } from "./server";

/** How many rows are initially loaded. */
const RECENT = 50;

export class FakeRoom implements Room {
  readonly channel: RoomChannel;
  readonly presence: Room["presence"];
  readonly messages: Room["messages"];
  readonly #server: FakeServer;
  readonly #me: string;
  readonly #id: string;
  readonly #typists: () => readonly Typist[];

  constructor(server: FakeServer, me: string, id: string) {
    this.#server = server;
    this.#me = me;
    this.#id = id;
    const chat = () => server.chats.get(id);
    const member = (user: string): Member => ({ user, name: server.names.get(user) ?? user });

    this.#typists = remembered(server, () =>
      [...(chat()?.typing ?? [])].filter((user) => user !== me).map(member),
    );
    const here = remembered(server, () => [...(chat()?.here ?? [])].map(member));
    const receipts = remembered(server, () => new Map<string, UserReceipt>(chat()?.receipts));
    let shown = RECENT;
    const rows = remembered(server, (): readonly ChatRow[] =>
      (chat()?.log.slice(-shown) ?? []).map((entry) => server.row(chat() as FakeChat, entry, me)),
    );

    this.channel = {
      name: MESSAGES_PREFIX + id,
      get receipts() {
        return receipts();
      },
      on: (event, listener) =>
        follow(server, event === "typing" ? this.#typists : receipts, listener as () => void),
    };
    this.presence = {
      get members() {
        return here();
      },
      on: (_, listener) => follow(server, here, listener),
    };
    this.messages = {
      get rows() {
        return rows();
      },
      get hasOlder() {
        return (chat()?.log.length ?? 0) > shown;
      },
      on: (_, listener): Unsubscribe => follow(server, rows, listener),
      loadOlder: async (limit = 50) => {
        shown += limit;
        server.changed();
        return (chat()?.log.length ?? 0) > shown;
      },
      dismiss: () => undefined,
    };
  }

  get #chat(): FakeChat {
    const chat = this.#server.chats.get(this.#id);
    if (!chat) throw new Error("Chat not found.");
    return chat;
  }

  get info() {
    const chat = this.#server.chats.get(this.#id);
    return chat && this.#server.view(chat, this.#me);
  }

  get typists(): readonly Typist[] {
    return this.#typists();
  }

  get here(): readonly Member[] {
    return this.presence.members;
  }

  async open(): Promise<void> {
    this.#chat.here.add(this.#me);
    this.#server.setReceipt(this.#chat, this.#me, this.#chat.log.length, 0);
    this.#server.changed();
  }

  close(): void {
    this.#chat.here.delete(this.#me);
    this.stopTyping();
  }

  async send(data: unknown, { replyTo }: { replyTo?: string } = {}): Promise<unknown> {
    return this.#server.append(this.#chat, this.#me, data, replyTo === undefined ? {} : { replyTo });
  }

  async edit(id: string, data: unknown): Promise<void> {
    const entry = this.#chat.log.find((entry) => entry.id === id);
    if (entry) entry.edited = data;
    this.#server.changed();
  }

  async delete(id: string): Promise<void> {
    const entry = this.#chat.log.find((entry) => entry.id === id);
    if (entry) entry.deleted = { user: this.#me, at: Date.now() };
    this.#server.changed();
  }

  typing(): void {
    this.#chat.typing.add(this.#me);
    this.#server.changed();
  }

  stopTyping(): void {
    this.#chat.typing.delete(this.#me);
    this.#server.changed();
  }

  markRead(message: string | number = this.#chat.log.length): void {
    const offset =
      typeof message === "number" ? message : this.#chat.log.find(({ id }) => id === message)?.offset;
    this.#server.setReceipt(this.#chat, this.#me, offset ?? 0, offset ?? 0);
  }

  async invite(user: string): Promise<void> {
    this.#chat.members.set(user, "invited");
    this.#server.change(this.#chat, this.#me, { action: "invited", user });
  }

  async remove(user: string): Promise<void> {
    this.#chat.members.delete(user);
    this.#server.change(this.#chat, this.#me, { action: "removed", user });
  }

  async rename(title: string): Promise<void> {
    this.#chat.title = title;
    this.#server.change(this.#chat, this.#me, { action: "renamed", title });
  }

  async setRole(user: string, role: "owner" | "member" | "read_only"): Promise<void> {
    this.#chat.members.set(user, role);
    this.#server.change(this.#chat, this.#me, { action: "role_set", user, role });
  }

  async leave(): Promise<void> {
    this.#chat.members.delete(this.#me);
    this.#server.change(this.#chat, this.#me, { action: "left", user: this.#me });
  }
}

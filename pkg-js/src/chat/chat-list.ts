// The list of the user's chats, kept up to date by `private-user.{id}` and by the channels of the chats.

import { defer, quiet } from "../core/deferred.js";
import type { Message } from "../core/events.js";
import { Observable } from "../core/observable.js";
import { toUserStatus } from "../core/user-status.js";
import { MESSAGES_PREFIX, type ServerFrame, type Chat as WireChat } from "../generated/protocol.js";
import { type Chat, type ChatMember, toChat } from "./chat.js";
import type { ChatPort } from "./port.js";
import { userChannel } from "./user-channel.js";

/** The maximum number of chats in a subscription: if there are fewer, the list is complete. */
const MOST = 100;

/** Options of `create`. */
export interface NewChat {
  /** The title, 1 to 128 bytes. */
  title?: string | undefined;
  /** Whether any signed-in user may join without an invitation; false by default. */
  open?: boolean | undefined;
  /** The users to invite, at most 100. */
  users?: readonly string[] | undefined;
}

/** The user's chats that have been loaded. */
export class ChatList extends Observable {
  readonly #client: ChatPort;
  readonly #ready = defer<void>();
  #chats = new Map<string, Chat>();
  #list: readonly Chat[] | undefined;
  #followed = false;

  /** @internal Does not subscribe yet: `_follow` does. */
  constructor(client: ChatPort) {
    super();
    this.#client = client;
    quiet(this.#ready.promise);
  }

  /** @internal */
  _follow(): this {
    if (!this.#followed) {
      this.#followed = true;
      const client = this.#client;
      client._onFrame((frame) => this.#take(frame));
      // The server sends no `activity` for a chat whose channel is subscribed.
      client._onChannel((channel) => {
        if (channel.name.startsWith(MESSAGES_PREFIX))
          channel.on("message", (message) => this.#active(message));
      });
      client._signedIn
        .then((user) => {
          const channel = client.channel(userChannel(user));
          return channel._warn(channel._share({ undelivered: true }));
        })
        .then(() => this.#ready.resolve(), this.#ready.reject);
    }
    return this;
  }

  /** Settles when the chats have been loaded for the first time. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Sorted by latest activity. The same array until it changes. */
  get list(): readonly Chat[] {
    this.#list ??= [...this.#chats.values()].sort((a, b) => b.at - a.at);
    return this.#list;
  }

  /** The number of unread messages in all chats. */
  get unread(): number {
    return this.list.reduce((sum, chat) => sum + chat.unread, 0);
  }

  get(id: string): Chat | undefined {
    return this.#chats.get(id);
  }

  /** Loads chats with older activity. Returns whether there are more. */
  async loadMore(limit?: number): Promise<boolean> {
    const { chats, more } = await this.#client.request("list_chats", { before: this.list.at(-1)?.at, limit });
    for (const chat of chats) if (!this.#chats.has(chat.id)) this.#set(toChat(chat));
    return more;
  }

  /** Creates a group. */
  create({ title, open, users = [] }: NewChat): Promise<Chat> {
    return this.#enter(
      this.#client.request("create_chat", { kind: "group", title, open, users: [...users] }),
    );
  }

  /** Finds or creates the direct chat with another user, who becomes a member immediately. */
  direct(user: string): Promise<Chat> {
    return this.#enter(this.#client.request("create_chat", { kind: "direct", users: [user] }));
  }

  /** Accepts an invitation, or joins an open chat. */
  join(chat: string): Promise<Chat> {
    return this.#enter(this.#client.request("join_chat", { chat }));
  }

  async #enter(request: Promise<{ chat?: WireChat }>): Promise<Chat> {
    const chat = toChat((await request).chat as WireChat);
    this.#set(chat);
    return chat;
  }

  #take(frame: ServerFrame): void {
    switch (frame.type) {
      case "subscribed": {
        const { chats } = frame;
        if (chats == null) break;
        // Chats that are missing here have older activity, or the user is no longer in them.
        const end = chats.length < MOST ? 0 : (chats.at(-1)?.at ?? 0);
        for (const { id, at } of this.list) if (at >= end) this.#chats.delete(id);
        for (const chat of chats) this.#set(toChat(chat));
        this.#update();
        break;
      }
      case "chat_changed":
        this.#set(toChat(frame.chat));
        break;
      case "chat_gone":
        this.#chats.delete(frame.chat);
        this.#update();
        break;
      case "activity":
        this.#active(frame.message);
        break;
      case "status_changed": {
        const { user, status, lastSeen } = toUserStatus(frame);
        for (const chat of this.list) this.#member(chat, user, { status, lastSeen: lastSeen as number });
        break;
      }
      case "receipt": {
        const { channel, user, delivered, read, unread } = frame;
        const chat = this.#chats.get(channel.replace(MESSAGES_PREFIX, ""));
        if (chat !== undefined) this.#member(chat, user, { delivered, read }, unread);
      }
    }
  }

  #active(message: Message): void {
    const { channel, offset, at, user, action, deleted } = message;
    const chat = this.#chats.get(channel.replace(MESSAGES_PREFIX, ""));
    // Replayed messages have been counted already; edits, deletions and what was deleted do not count.
    if (chat === undefined || offset <= chat.head || deleted || (action != null && action !== "reply"))
      return;
    const unread = chat.unread + (user === this.#client.user ? 0 : 1);
    this.#set({ ...chat, head: offset, at, last: message, unread });
  }

  #member(chat: Chat, user: string, news: Partial<ChatMember>, unread = chat.unread): void {
    if (!chat.members.some((member) => member.user === user)) return;
    const members = chat.members.map((member) => (member.user === user ? { ...member, ...news } : member));
    this.#set({ ...chat, members, unread });
  }

  #set(chat: Chat): void {
    this.#chats.set(chat.id, chat);
    this.#update();
  }

  #update(): void {
    this.#list = undefined;
    this._changed();
  }
}

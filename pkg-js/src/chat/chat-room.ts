// One chat for a user interface: its log, its presence and its actions. It is composed of channels and requests, and adds
// nothing of its own.

import type { Channel } from "../core/channel.js";
import type { EverwireError } from "../core/errors.js";
import type { ChatText, Member, Sending, SendOptions, StandardEvents, Typist } from "../core/events.js";
import { Observable } from "../core/observable.js";
import type { RequestFields, RequestType } from "../core/requests.js";
import { MESSAGES_PREFIX, PRESENCE_PREFIX } from "../generated/protocol.js";
import type { Chat, Role } from "./chat.js";
import type { ChatList } from "./chat-list.js";
import { MessageList } from "./message-list.js";
import type { ChatPort } from "./port.js";

/** The types of a chat's log: text or custom data, and membership changes by the server. */
export interface ChatEvents extends Pick<StandardEvents, "everwire.chat"> {
  message: ChatText & Record<string, unknown>;
  [event: string]: unknown;
}

/** The data of a chat message: a string, or an object with a text. */
export type ChatContent = string | (ChatText & Record<string, unknown>);

/** How many of the latest entries an opened chat starts with. */
export const RECENT = 50;

const toData = (data: ChatContent) => (typeof data === "string" ? { text: data } : data);

/** A chat. Created by `ChatClient.room`, which returns the same object for the same id. */
export class ChatRoom extends Observable {
  readonly id: string;
  /** The channel of its log. */
  readonly channel: Channel<ChatEvents>;
  /** The users who have it open. */
  readonly presence: Channel;
  /** Its messages, and its membership changes as rows with the event `everwire.chat`. */
  readonly messages: MessageList<ChatEvents>;
  readonly #client: ChatPort;
  readonly #chats: ChatList;

  /** @internal */
  constructor(client: ChatPort, chats: ChatList, id: string) {
    super();
    this.id = id;
    this.#client = client;
    this.#chats = chats;
    this.channel = client.channel(MESSAGES_PREFIX + id);
    this.presence = client.channel(PRESENCE_PREFIX + id);
    this.messages = new MessageList(this.channel, { events: ["everwire.chat"] });
    const changed = () => this._changed();
    this.channel.on("typing", changed);
    this.presence.on("members", changed);
    this.messages.on("change", changed);
    chats.on("change", changed);
  }

  /** The chat in `ChatClient.chats`, which is loaded on first use or by `open`. */
  get info(): Chat | undefined {
    return this.#chats.get(this.id);
  }

  /** The other users who are typing. */
  get typists(): readonly Typist[] {
    return this.channel.typists;
  }

  /** The users who have it open. */
  get here(): readonly Member[] {
    return this.presence.members;
  }

  /** Subscribes, with the latest 50 entries, and shows the user as present. */
  async open(): Promise<void> {
    this._follow();
    const opening = [this.channel.subscribe({ recent: RECENT }), this.presence.subscribe()];
    await Promise.all(opening).catch((error: EverwireError) => {
      // Closed before it was open.
      if (error.code !== "unsubscribed") throw error;
    });
  }

  /** @internal Makes `info` available. */
  _follow(): void {
    this.#chats._follow();
  }

  /** Leaves presence. The log stays subscribed and `messages` are kept, unless `keep` is false. */
  async close({ keep = true }: { keep?: boolean } = {}): Promise<void> {
    await this.presence.unsubscribe();
    if (!keep) await this.channel.unsubscribe();
  }

  send(data: ChatContent, options?: SendOptions): Sending {
    return this.channel.send(toData(data), options);
  }

  edit(id: string, data: ChatContent): Sending {
    return this.channel.edit(id, toData(data));
  }

  delete(id: string): Sending {
    return this.channel.delete(id);
  }

  typing(): void {
    this.channel.typing();
  }

  stopTyping(): void {
    this.channel.stopTyping();
  }

  /** Like `Channel.markRead`. */
  markRead(message?: string | number): void {
    this.channel.markRead(message);
  }

  /** Invites a user. For owners and members of groups. `role`: `member` by default; only owners invite owners. */
  invite(user: string, role?: Role): Promise<void> {
    return this.#ask("invite", { user, role });
  }

  /** Removes a member, or withdraws an invitation. For owners. */
  remove(user: string): Promise<void> {
    return this.#ask("remove_member", { user });
  }

  /** Changes the title. For owners of groups. */
  rename(title: string): Promise<void> {
    return this.#ask("rename_chat", { title });
  }

  /** Changes the role of a member, to any but `invited`. For owners. */
  setRole(user: string, role: Role): Promise<void> {
    return this.#ask("set_role", { user, role });
  }

  /** Leaves the chat, or declines an invitation. */
  leave(): Promise<void> {
    return this.#ask("leave_chat", {});
  }

  async #ask<Type extends RequestType>(type: Type, fields: Omit<RequestFields<Type>, "chat">): Promise<void> {
    await this.#client.request(type, { ...fields, chat: this.id } as unknown as RequestFields<Type>);
  }
}

// One chat as its user interface needs it: its log, who has it open, and what can be done to it. It is made of channels
// and requests, and adds nothing of its own.

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

/** What a chat's log carries: texts or data of one's own, and what the server says of its membership. */
export interface ChatEvents extends Pick<StandardEvents, "everwire.chat"> {
  message: ChatText & Record<string, unknown>;
  [event: string]: unknown;
}

/** What a chat's message says: a text, or an object that has one. */
export type ChatContent = string | (ChatText & Record<string, unknown>);

/** How much of the log an opened chat begins with. */
export const RECENT = 50;

const toData = (data: ChatContent) => (typeof data === "string" ? { text: data } : data);

/** A chat. Made by `ChatClient.room`; the same object for the same id. */
export class ChatRoom extends Observable {
  readonly id: string;
  /** Its log. */
  readonly channel: Channel<ChatEvents>;
  /** Who has it open. */
  readonly presence: Channel;
  /** Its messages, and what the server says of its membership: rows with the event `everwire.chat`. */
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

  /** The chat as `ChatClient.chats` has it, which is followed from its first use or from `open` on. */
  get info(): Chat | undefined {
    return this.#chats.get(this.id);
  }

  /** Who else is typing. */
  get typists(): readonly Typist[] {
    return this.channel.typists;
  }

  /** Who has it open. */
  get here(): readonly Member[] {
    return this.presence.members;
  }

  /** Starts to receive it, with the latest 50 entries, and shows the user as present. */
  async open(): Promise<void> {
    this._follow();
    const opening = [this.channel.subscribe({ recent: RECENT }), this.presence.subscribe()];
    await Promise.all(opening).catch((error: EverwireError) => {
      // Closed again before it was open.
      if (error.code !== "unsubscribed") throw error;
    });
  }

  /** @internal From now on there is an `info`. */
  _follow(): void {
    this.#chats._follow();
  }

  /** The user is present no more. The log stays subscribed, and `messages` as they are, unless `keep` is false. */
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

  /** As `Channel.markRead`. */
  markRead(message?: string | number): void {
    this.channel.markRead(message);
  }

  /** For owners and members of groups. `role`: `member` if absent; only owners invite owners. */
  invite(user: string, role?: Role): Promise<void> {
    return this.#ask("invite", { user, role });
  }

  /** Takes somebody out, or takes an invitation back. For owners. */
  remove(user: string): Promise<void> {
    return this.#ask("remove_member", { user });
  }

  /** For owners of groups. */
  rename(title: string): Promise<void> {
    return this.#ask("rename_chat", { title });
  }

  /** For owners; any role but `invited`. */
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

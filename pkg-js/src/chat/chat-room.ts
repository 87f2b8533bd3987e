// One chat for a user interface: its log, its presence and its actions. It is composed of channels and requests, and adds
// nothing of its own.

import type { Channel } from "../core/channel.js";
import type { EverwireError } from "../core/errors.js";
import type {
  ChatText,
  Member,
  Sending,
  SendOptions,
  StandardEvents,
  Subscribed,
  Typist,
} from "../core/events.js";
import { Observable } from "../core/observable.js";
import type { RequestFields, RequestType } from "../core/requests.js";
import { MESSAGES_PREFIX, PRESENCE_PREFIX } from "../generated/protocol.js";
import type { Chat, Role } from "./chat.js";
import type { ChatList } from "./chat-list.js";
import type { KeptLogs } from "./kept-logs.js";
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
const RECENT = 50;

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
  readonly #kept: KeptLogs;
  /** Whether the application has opened it, and by how many it is open, components included. */
  #opened = false;
  #uses = 0;
  /** Whether it has a share of the log's subscription. */
  #shares = false;

  /** @internal */
  constructor(client: ChatPort, chats: ChatList, kept: KeptLogs, id: string) {
    super();
    this.id = id;
    this.#client = client;
    this.#chats = chats;
    this.#kept = kept;
    this.channel = client.channel(MESSAGES_PREFIX + id);
    this.presence = client.channel(PRESENCE_PREFIX + id);
    this.messages = new MessageList(this.channel, { events: ["everwire.chat"] });
    const changed = () => this._changed();
    this.channel.on("typing", changed);
    this.presence.on("members", changed);
    this.messages.on("change", changed);
    chats.on("change", changed);
  }

  /** The chat in `ChatClient.chats`, which is loaded on first use or by `open`. While it is open, with all of its members. */
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
    const opening = [this._use(!this.#opened), this.presence.subscribe()];
    this.#opened = true;
    await Promise.all(opening).catch((error: EverwireError) => {
      // Closed before it was open.
      if (error.code !== "unsubscribed") throw error;
    });
  }

  /** @internal Makes `info` available. */
  _follow(): void {
    this.#chats._follow();
  }

  /** @internal Subscribes to the log, which is not given up until `_leave`. `more`: by one more than before. */
  _use(more: boolean): Promise<Subscribed> {
    if (more) this.#uses++;
    this.#kept.open(this);
    this.#chats._want(this.id);
    const again = this.#shares;
    this.#shares = true;
    return this.channel._share({ recent: RECENT }, again);
  }

  /** @internal The same for a component: an error that nobody listens to is logged. */
  _hold(more: boolean): void {
    this.channel._warn(this._use(more));
  }

  /** @internal The log stays subscribed until other chats need the room. */
  _leave(): void {
    if (--this.#uses > 0) return;
    this.#kept.close(this);
    this.#chats._unwant(this.id);
  }

  /** @internal */
  _releaseLog(): void {
    if (this.#shares) this.channel._release();
    this.#shares = false;
  }

  /**
   * Leaves presence. `messages` are kept, and the log stays subscribed until a session's subscriptions are needed for other chats,
   * or, if `keep` is false, not at all.
   */
  async close({ keep = true }: { keep?: boolean } = {}): Promise<void> {
    await this.presence.unsubscribe();
    if (this.#opened) this._leave();
    this.#opened = false;
    if (keep || this.#uses > 0) return;
    this.#kept.forget(this);
    this._releaseLog();
    await this.channel.unsubscribe();
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

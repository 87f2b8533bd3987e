// The list of the user's chats, kept up to date by `private-user.{id}` and by the channels of the chats.

import { defer, quiet } from "../core/deferred.js";
import { EverwireError } from "../core/errors.js";
import type { Message } from "../core/events.js";
import { Observable } from "../core/observable.js";
import { loadPages } from "../core/pages.js";
import type { AnswerTo, RequestFields } from "../core/requests.js";
import { toUserStatus } from "../core/user-status.js";
import {
  type ChatChange,
  MESSAGES_PREFIX,
  type ServerFrame,
  type Chat as WireChat,
} from "../generated/protocol.js";
import { type Chat, type ChatMember, toChat } from "./chat.js";
import type { ChatPort } from "./port.js";
import { userChannel } from "./user-channel.js";

/** What changes the list, in the order in which it was told. */
type ListFrame = Extract<
  ServerFrame,
  { type: "chat_changed" | "chat_gone" | "activity" | "status_changed" | "receipt" | "message" }
>;

/** Options of `create`. */
export interface NewChat {
  /** The title, 1 to 128 bytes. */
  title?: string | undefined;
  /** Whether any signed-in user may join without an invitation; false by default. */
  open?: boolean | undefined;
  /** The users to invite, at most 100. */
  users?: readonly string[] | undefined;
}

/** The user's chats. */
export class ChatList extends Observable {
  readonly #client: ChatPort;
  readonly #ready = defer<void>();
  readonly #chats = new Map<string, Chat>();
  #list: readonly Chat[] | undefined;
  #followed = false;
  #complete = false;
  /** The chats that the pages have, and new ones, while pages are loaded. When all have arrived, others are gone. */
  #seen = new Set<string>();
  /** The chats of which all members are wanted; with those that the pages have, once they are being loaded. */
  readonly #whole = new Map<string, Set<string> | undefined>();
  /** For each page that is on its way: what was told since it was requested, because the page may be older. */
  readonly #since = new Set<ListFrame[]>();

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
      client._onChannel((channel) => {
        if (!channel.name.startsWith(MESSAGES_PREFIX)) return;
        // The server sends no `activity` for a chat whose channel is subscribed.
        channel.on("message", (message) => this.#tell({ type: "activity", message }));
        channel._emitter.on("event", (message: Message) => {
          if (message.event === "everwire.chat") this.#tell({ ...message, type: "message" });
        });
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

  /** Settles when chats have been loaded for the first time: the latest ones, and of most users all. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Whether `list` has all chats. A long list arrives in pages, each of which is a change. */
  get complete(): boolean {
    return this.#complete;
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
    const chat = (await request).chat as WireChat;
    this.#put(chat);
    return toChat(chat);
  }

  /** @internal All members of this chat are wanted, not only the first ones. */
  _want(id: string): void {
    if (this.#whole.has(id)) return;
    this.#whole.set(id, undefined);
    const { members, memberCount } = this.#chats.get(id) ?? { members: [], memberCount: 0 };
    if (members.length < memberCount) this.#loadMembers(id);
  }

  /** @internal */
  _unwant(id: string): void {
    this.#whole.delete(id);
  }

  #take(frame: ServerFrame): void {
    switch (frame.type) {
      case "subscribed":
        if (frame.chats != null) this.#load(frame.chats, frame.chats_more === true);
        else if (frame.channel.startsWith("private-user.")) {
          this.#ready.reject(new EverwireError("unsupported_feature", "This server does not offer chats."));
        }
        break;
      case "chat_changed":
      case "chat_gone":
      case "activity":
      case "status_changed":
      case "receipt":
        this.#tell(frame);
    }
  }

  /** The chats with the latest activity. If there are more, all of them are listed by id, an order that nothing changes. */
  #load(latest: readonly WireChat[], more: boolean): void {
    const seen = new Set<string>();
    this.#seen = seen;
    this.#complete = false;
    for (const id of this.#whole.keys()) this.#whole.set(id, undefined);
    this.#page(latest, more);
    if (more) {
      const take = ({ chats, next }: AnswerTo<"list_chats">) => this.#page(chats, next != null);
      this.#request("list_chats", {}, take, () => this.#seen === seen);
    }
  }

  #page(chats: readonly WireChat[], more: boolean): void {
    for (const chat of chats) this.#put(chat);
    if (!more) {
      for (const id of this.#chats.keys()) if (!this.#seen.has(id)) this.#chats.delete(id);
      this.#complete = true;
    }
    this.#update();
  }

  /** Requests the pages of a list. What was told while one was on its way is applied again behind it. */
  #request<Type extends "list_chats" | "list_chat_members">(
    type: Type,
    fields: RequestFields<Type>,
    take: (page: AnswerTo<Type>) => void,
    wanted: () => boolean,
  ): void {
    const since: ListFrame[] = [];
    this.#since.add(since);
    const page = (after?: string) => {
      since.length = 0;
      return this.#client.request(type, { ...fields, after });
    };
    const taken = (page: AnswerTo<Type>) => {
      take(page);
      for (const frame of since.splice(0)) this.#apply(frame);
    };
    void loadPages(this.#client, page, taken, wanted).then(() => this.#since.delete(since));
  }

  /** Loads the members of a chat that are not in it, if they are wanted and not being loaded already. */
  #loadMembers(chat: string): void {
    if (!this.#whole.has(chat) || this.#whole.get(chat) !== undefined) return;
    const seen = new Set<string>();
    this.#whole.set(chat, seen);
    const take = ({ members, next }: AnswerTo<"list_chat_members">) =>
      this.#members(chat, (all) => {
        for (const member of members) {
          seen.add(member.user);
          all.set(member.user, toUserStatus(member));
        }
        if (next == null) for (const user of all.keys()) if (!seen.has(user)) all.delete(user);
      });
    this.#request("list_chat_members", { chat }, take, () => this.#whole.get(chat) === seen);
  }

  #tell(frame: ListFrame): void {
    for (const since of this.#since) since.push(frame);
    this.#apply(frame);
  }

  #apply(frame: ListFrame): void {
    switch (frame.type) {
      case "chat_changed":
        this.#put(frame.chat);
        break;
      case "chat_gone":
        this.#chats.delete(frame.chat);
        this.#update();
        break;
      case "activity":
        this.#active(frame.message);
        break;
      case "message":
        this.#memberChanged(frame);
        break;
      case "status_changed": {
        const { user, status, lastSeen, name } = toUserStatus(frame);
        const news = { status, lastSeen: lastSeen as number, ...(name != null && { name }) };
        for (const chat of this.list) this.#member(chat, user, news);
        break;
      }
      case "receipt": {
        const { channel, user, delivered, read, unread } = frame;
        const chat = this.#chats.get(channel.replace(MESSAGES_PREFIX, ""));
        if (chat === undefined) break;
        // The user is perhaps not among the listed members of a large chat.
        const own = unread == null ? chat : { ...chat, read, unread };
        if (own !== chat) this.#set(own);
        this.#member(own, user, { delivered, read });
      }
    }
  }

  /** The members beyond the first ones of an open chat follow its log: `chat_changed` does not have them. */
  #memberChanged({ channel, user: by, data }: Message): void {
    const { action, user, name, role } = data as ChatChange;
    const id = channel.replace(MESSAGES_PREFIX, "");
    const seen = this.#whole.get(id);
    if (seen === undefined || user == null) return;
    this.#members(id, (all) => {
      if (action === "left" || action === "removed") all.delete(user);
      else {
        seen.add(user);
        const status = user === by ? "online" : "offline";
        const member = all.get(user) ?? {
          user,
          status,
          delivered: 0,
          read: 0,
          ...(name != null && { name }),
        };
        all.set(user, { ...member, role: action === "invited" ? action : (role ?? "member") });
      }
    });
  }

  #members(id: string, change: (all: Map<string, ChatMember>) => void): void {
    const chat = this.#chats.get(id);
    if (chat === undefined) return;
    const all = new Map(chat.members.map((member) => [member.user, member]));
    change(all);
    this.#set({ ...chat, members: [...all.values()] });
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

  #member(chat: Chat, user: string, news: Partial<ChatMember>): void {
    // A large chat lists only some of its members, and perhaps not this user.
    if (!chat.members.some((member) => member.user === user)) return;
    const members = chat.members.map((member) => (member.user === user ? { ...member, ...news } : member));
    this.#set({ ...chat, members });
  }

  /** A chat as the server sends it: with the first members only if there are many. */
  #put(frame: WireChat): void {
    const chat = toChat(frame);
    const { id, members, memberCount } = chat;
    const cut = members.length < memberCount;
    const known = cut && this.#whole.has(id) ? this.#chats.get(id)?.members : undefined;
    const first = new Set(members.map(({ user }) => user));
    const more = known?.filter(({ user }) => !first.has(user)) ?? [];
    this.#seen.add(id);
    this.#set({ ...chat, members: [...members, ...more] });
    if (cut) this.#loadMembers(id);
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

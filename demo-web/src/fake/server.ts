// An in-memory server, as far as the messenger needs one: chats, logs, receipts, typing, presence and notifications,
// shared by its clients. For work on the page and for unit tests; it proves nothing about the real server.

import { MESSAGES_PREFIX } from "../../../protocol/generated/protocol";
import type {
  Chat,
  ChatMember,
  ChatRow,
  NotificationData,
  Role,
  Status,
  UserReceipt,
} from "../messenger/messengerApi";

export interface Entry {
  readonly id: string;
  readonly offset: number;
  readonly user: string;
  readonly at: number;
  readonly data: unknown;
  readonly event?: string;
  readonly replyTo?: string;
  edited?: unknown;
  deleted?: { readonly user: string; readonly at: number };
}

export interface FakeChat {
  readonly id: string;
  readonly kind: Chat["kind"];
  title?: string;
  open: boolean;
  readonly members: Map<string, Role>;
  readonly log: Entry[];
  readonly receipts: Map<string, UserReceipt>;
  readonly typing: Set<string>;
  readonly here: Set<string>;
  at: number;
}

export interface FakeNotification {
  readonly id: string;
  readonly at: number;
  readonly to: string | undefined;
  readonly data: NotificationData;
}

export class FakeServer {
  readonly chats = new Map<string, FakeChat>();
  readonly names = new Map<string, string>();
  readonly statuses = new Map<string, Status>();
  readonly lastSeen = new Map<string, number>();
  readonly notifications: FakeNotification[] = [];
  readonly #listeners = new Set<() => void>();
  #next = 1;

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  id(): string {
    return `fake-${this.#next++}`;
  }

  make(options: {
    id?: string;
    kind?: Chat["kind"];
    title?: string;
    open?: boolean;
    owner: string;
  }): FakeChat {
    const { id = this.id(), kind = "group", title, open = false, owner } = options;
    const chat: FakeChat = {
      id,
      kind,
      ...(title !== undefined && { title }),
      open,
      members: new Map([[owner, "owner"]]),
      log: [],
      receipts: new Map(),
      typing: new Set(),
      here: new Set(),
      at: Date.now(),
    };
    this.chats.set(id, chat);
    return chat;
  }

  append(chat: FakeChat, user: string, data: unknown, more: Partial<Entry> = {}): Entry {
    const entry: Entry = {
      id: this.id(),
      offset: chat.log.length + 1,
      user,
      at: Date.now(),
      data,
      ...more,
    };
    chat.log.push(entry);
    chat.at = Math.max(chat.at, entry.at);
    chat.typing.delete(user);
    for (const here of chat.here) this.setReceipt(chat, here, entry.offset, 0);
    this.changed();
    return entry;
  }

  change(chat: FakeChat, by: string, data: object): void {
    this.append(chat, by, data, { event: "everwire.chat" });
  }

  setReceipt(chat: FakeChat, user: string, delivered: number, read: number): void {
    const old = chat.receipts.get(user) ?? { user, delivered: 0, read: 0 };
    const receipt = {
      user,
      delivered: Math.max(old.delivered, delivered, read),
      read: Math.max(old.read, read),
    };
    if (receipt.delivered === old.delivered && receipt.read === old.read) return;
    chat.receipts.set(user, receipt);
    this.changed();
  }

  /** The chat as seen by `me`; undefined if they are not a member. */
  view(chat: FakeChat, me: string): Chat | undefined {
    const role = chat.members.get(me);
    if (!role) return undefined;
    const read = chat.receipts.get(me)?.read ?? 0;
    const plain = chat.log.filter(({ event }) => event === undefined);
    const last = role === "invited" ? undefined : plain.at(-1);
    return {
      id: chat.id,
      kind: chat.kind,
      ...(chat.title !== undefined && { title: chat.title }),
      open: chat.open,
      role,
      members: [...chat.members].map(([user, role]) => this.#member(chat, user, role)),
      memberCount: chat.members.size,
      read: role === "invited" ? 0 : read,
      head: chat.log.length,
      unread:
        role === "invited" ? 0 : plain.filter(({ offset, user }) => offset > read && user !== me).length,
      ...(last && { last: { ...last, channel: MESSAGES_PREFIX + chat.id } }),
      at: chat.at,
    };
  }

  #member(chat: FakeChat, user: string, role: Role): ChatMember {
    const { delivered, read } = chat.receipts.get(user) ?? { delivered: 0, read: 0 };
    const name = this.names.get(user);
    const last = this.lastSeen.get(user);
    return {
      user,
      ...(name !== undefined && { name }),
      role,
      status: this.statuses.get(user) ?? "offline",
      ...(last !== undefined && { lastSeen: last }),
      delivered,
      read,
    };
  }

  row(chat: FakeChat, { edited, deleted, ...entry }: Entry, me: string): ChatRow {
    const others = [...chat.receipts.values()].filter(({ user }) => user !== me);
    const name = this.names.get(entry.user);
    return {
      ...entry,
      data: deleted ? undefined : (edited ?? entry.data),
      ...(name !== undefined && { name }),
      status: "stored",
      mine: entry.user === me,
      deliveredTo: others.filter(({ delivered }) => delivered >= entry.offset).length,
      readBy: others.filter(({ read }) => read >= entry.offset).length,
      edited: edited !== undefined,
      deleted: deleted !== undefined,
    };
  }
}

// The part of the client's API that the messenger uses: chats, rooms, messages, notifications and status. Implemented
// by the package's client and by the in-memory client of `../fake`, which allows working on the page without a server.
// Types only.

import type {
  Channel,
  ChatText,
  ConnectionState,
  EverwireError,
  Member,
  NotificationData,
  Status,
  StatusChoice,
  UserReceipt,
  UserStatus,
} from "everwire";
import type { Chat, ChatMember, Role } from "everwire/chat";

export type {
  Channel,
  Chat,
  ChatMember,
  Member,
  NotificationData,
  Role,
  Status,
  StatusChoice,
  UserReceipt,
  UserStatus,
};

export type Unsubscribe = () => void;

/** The message types of a chat. */
export type ChatEvents = { message: ChatText };

/** One row of a conversation. A new object on each change. */
export interface ChatRow {
  readonly id: string;
  readonly data: unknown;
  readonly status: "queued" | "sent" | "stored" | "failed";
  readonly mine: boolean;
  readonly user?: string;
  readonly name?: string;
  readonly offset?: number;
  readonly at?: number;
  readonly error?: EverwireError;
  /** How many other members have received it. */
  readonly deliveredTo: number;
  /** How many other members have read it. */
  readonly readBy: number;
  readonly edited: boolean;
  readonly deleted: boolean;
  readonly replyTo?: string;
  readonly event?: string;
}

export interface Messages {
  readonly rows: readonly ChatRow[];
  readonly hasOlder: boolean;
  on(event: "change", listener: () => void): Unsubscribe;
  loadOlder(limit?: number): Promise<boolean>;
  dismiss(id: string): void;
}

export interface Typist {
  readonly user: string;
  readonly name?: string;
}

export interface Room {
  readonly channel: RoomChannel;
  readonly presence: PresenceChannel;
  readonly messages: Messages;
  readonly info: Chat | undefined;
  readonly typists: readonly Typist[];
  readonly here: readonly Member[];
  open(): Promise<void>;
  close(): void;
  send(data: unknown, options?: { replyTo?: string }): PromiseLike<unknown>;
  edit(id: string, data: unknown): PromiseLike<unknown>;
  delete(id: string): PromiseLike<unknown>;
  typing(): void;
  stopTyping(): void;
  markRead(message?: string | number): void;
  invite(user: string, role?: Role): Promise<unknown>;
  remove(user: string): Promise<unknown>;
  rename(title: string): Promise<unknown>;
  setRole(user: string, role: Role): Promise<unknown>;
  leave(): Promise<unknown>;
}

/** The parts of a chat's channel that the views use. */
export type RoomChannel = Pick<Channel<ChatEvents>, "name" | "receipts" | "on">;

/** The parts of other channels that the views use. */
export type MessengerChannel = Pick<Channel, "members" | "on" | "subscribe" | "unsubscribe">;

export interface PresenceChannel {
  readonly members: readonly Member[];
  on(event: "members", listener: () => void): Unsubscribe;
}

export interface Chats {
  readonly list: readonly Chat[];
  readonly unread: number;
  readonly ready: Promise<void>;
  get(id: string): Chat | undefined;
  on(event: "change", listener: () => void): Unsubscribe;
  create(options: { title?: string; open?: boolean; users: readonly string[] }): Promise<Chat>;
  direct(user: string): Promise<Chat>;
  join(id: string): Promise<Chat>;
}

export interface NotificationItem {
  readonly id: string;
  readonly at: number;
  readonly data: NotificationData;
  readonly read: boolean;
}

export interface Notifications {
  readonly list: readonly NotificationItem[];
  readonly unread: number;
  markRead(id?: string): void;
  on(event: "change", listener: () => void): Unsubscribe;
  on(event: "notification", listener: (item: NotificationItem) => void): Unsubscribe;
}

export interface MessengerClient {
  readonly user: string | undefined;
  readonly state: ConnectionState;
  readonly chats: Chats;
  readonly notifications: Notifications;
  room(id: string): Room;
  /** A channel that is not a chat. */
  channel(name: string): MessengerChannel;
  setStatus(status: StatusChoice): Promise<unknown>;
}

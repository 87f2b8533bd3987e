// What the messenger uses of a client: chats, rooms, messages, notifications and status. The client of the package has it; so
// has the in-memory one of `../fake`, with which the page can be worked on and tested without a server. Types only.

import type {
  Channel,
  ChatText,
  ConnectionState,
  EverwireError,
  Mark,
  Member,
  NotificationData,
  Status,
  StatusChoice,
  UserStatus,
} from "everwire";
import type { Chat, ChatMember, Role } from "everwire/chat";

export type {
  Channel,
  Chat,
  ChatMember,
  Mark,
  Member,
  NotificationData,
  Role,
  Status,
  StatusChoice,
  UserStatus,
};

export type Off = () => void;

/** What a chat's messages hold. */
export type ChatEvents = { message: ChatText };

/** One row of a conversation. A new object whenever it changed. */
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
  /** How many others have it. */
  readonly deliveredTo: number;
  /** How many others have read it. */
  readonly readBy: number;
  readonly edited: boolean;
  readonly deleted: boolean;
  readonly replyTo?: string;
  readonly event?: string;
}

export interface Messages {
  readonly rows: readonly ChatRow[];
  readonly hasOlder: boolean;
  on(event: "change", listener: () => void): Off;
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

/** What the views use of a chat's log. */
export interface RoomChannel {
  readonly name: string;
  readonly receipts: ReadonlyMap<string, Mark>;
  on(event: "typing" | "receipts", listener: () => void): Off;
}

export interface PresenceChannel {
  readonly members: readonly Member[];
  on(event: "members", listener: () => void): Off;
}

export interface Chats {
  readonly list: readonly Chat[];
  readonly unread: number;
  readonly ready: Promise<void>;
  get(id: string): Chat | undefined;
  on(event: "change", listener: () => void): Off;
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
  on(event: "change", listener: () => void): Off;
  on(event: "notification", listener: (item: NotificationItem) => void): Off;
}

export interface MessengerClient {
  readonly user: string | undefined;
  readonly state: ConnectionState;
  readonly chats: Chats;
  readonly notifications: Notifications;
  room(id: string): Room;
  setStatus(status: StatusChoice): Promise<unknown>;
}

// The types of what applications send, receive and listen to. Types only: nothing of this file is in the bundle.

import type {
  Member,
  Notification,
  Signalled,
  StandardEvents,
  Status,
  StatusChoice,
  Text,
  UserReceipt,
  Message as WireMessage,
  HistoryPage as WirePage,
} from "../generated/protocol.js";
import type { EverwireError } from "./errors.js";

export type { ChatChange, DataUpdate, StatusUpdate, UserActivity } from "../generated/protocol.js";
export type { AnswerTo, RequestFields, RequestOptions, RequestType } from "./requests.js";
export type { UserStatus } from "./user-status.js";
export type { Member, StandardEvents, Status, StatusChoice, UserReceipt };

/** The data of a plain message in a chat. */
export type ChatText = Text;

/** The data of the event `notification`. */
export type NotificationData = Notification;

/** The default types of a channel: any JSON, under any event name. The standard events are typed. */
export interface DefaultEvents extends StandardEvents {
  message: unknown;
  [event: string]: unknown;
}

/** The type of a channel's plain messages. */
export type MessageData<Events> = Events extends { message: infer Data } ? Data : unknown;

/** The names of a channel's custom events. */
export type EventName<Events> = Exclude<keyof Events & string, "message">;

/** One entry of a channel's log, as it came from the server. */
export interface Message<Data = unknown> extends Omit<WireMessage, "data" | "event"> {
  /** The name of a custom event; absent for a plain message. */
  readonly event?: string;
  /** The data; null if this deletes another message, or was itself `deleted`. */
  readonly data: Data;
}

/** An ephemeral event. */
export interface Signal<Name extends string = string, Data = unknown>
  extends Omit<Signalled, "data" | "event"> {
  readonly event: Name;
  readonly data: Data;
}

/** A user who is typing. */
export interface Typist {
  readonly user: string;
  readonly name?: string;
}

/** A page of a channel's log. */
export interface HistoryPage extends Pick<WirePage, "epoch" | "more"> {
  /** The entries by rising offset, without holes. */
  readonly messages: readonly Message[];
}

/** Selects a page. */
export interface HistoryOptions {
  /** Only entries before this offset, the latest ones. */
  before?: number | undefined;
  /** Only entries after this offset, the earliest ones. Not together with `before`. */
  after?: number | undefined;
  /** The maximum number: 1 to 200, by default 50. */
  limit?: number | undefined;
}

/** Options of `send`. */
export interface SendOptions {
  /** The id of the message that this one replies to. */
  replyTo?: string | undefined;
}

/** An entry with an event name. */
export interface EventMessage<Name extends string = string, Data = unknown> extends Message<Data> {
  readonly event: Name;
}

/** Every custom event of a channel, as a union discriminated by `event`. */
export type AnyEventMessage<Events> = {
  [Name in EventName<Events>]: EventMessage<Name, Events[Name]>;
}[EventName<Events>];

/** A position in a channel's log. Offsets are only meaningful within their epoch. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
  /** Identifies the history that the position belongs to, so that a restored database is detected. Keep it with the rest. */
  readonly run?: string | undefined;
}

/** A subscription was established, for the first time or after a reconnect. */
export interface Subscribed extends Position {
  /** The last offset in the log at that time: entries up to it are replayed history. */
  readonly head: number;
  /** False if entries could not be recovered: a `gap` was emitted before. */
  readonly recovered: boolean;
}

/** Entries that can no longer be recovered: reload the data that they changed. */
export interface Gap {
  /** The first missing offset. In another log than `to` if the reason is `epoch`. */
  readonly from: number;
  /** The last missing offset. */
  readonly to: number;
  /** `trimmed`: no longer stored; `too_far`: more than the server replays; `epoch`: the log was replaced, or restored from a copy. */
  readonly reason: string;
}

/** The progress of a send. */
export type SendingStatus = "queued" | "sent" | "stored" | "failed";

/** A message that is being sent. A new object for every change. */
export interface Outgoing<Data = unknown> {
  readonly id: string;
  readonly data: Data;
  readonly event?: string;
  /** The action on another message of the channel: `reply`, `edit` or `delete`. */
  readonly action?: Message["action"];
  /** The id of that message. */
  readonly target?: string;
  readonly status: SendingStatus;
  /** The offset at which it was stored. */
  readonly offset?: number;
  /** When it was stored, in ms since 1970 by the server's clock. */
  readonly at?: number;
  /** The error if it failed. */
  readonly error?: EverwireError;
}

/** The result of `send`: the message is on the server's disk. */
export interface Stored {
  readonly id: string;
  readonly offset: number;
  /** When it was stored, in ms since 1970 by the server's clock. */
  readonly at: number;
}

/** A promise that has the message's id immediately. */
export type Sending = Promise<Stored> & {
  readonly id: string;
  /**
   * Withdraws the message while its status is `queued`: the promise rejects with `cancelled`. Returns whether it is withdrawn.
   * One that was sent on a connection that has since been lost may have been stored all the same.
   */
  cancel(): boolean;
};

/** The events of `Channel.on`, and the arguments of their listeners. */
export type ChannelEvents<Events> = {
  /** A plain message, or a reply, edit or deletion: see `action`. */
  message: Message<MessageData<Events>>;
  /** Any custom event. */
  event: AnyEventMessage<Events>;
  subscribed: Subscribed;
  gap: Gap;
  joined: Member;
  left: Member;
  /** All members, after every change. */
  members: readonly Member[];
  sending: Outgoing;
  /** The other users who are typing, after every change. */
  typing: readonly Typist[];
  /** How far users have received and read the channel, after every change. */
  receipts: ReadonlyMap<string, UserReceipt>;
  /** An ephemeral event. */
  signal: Signal;
  /** The server refused or ended the subscription. */
  error: EverwireError;
} & {
  // Over `keyof Events` itself, where known names keep their types beside arbitrary strings.
  [Name in keyof Events as `event:${Exclude<Name & string, "message">}`]: EventMessage<
    Name & string,
    Events[Name]
  >;
} & {
  [Name in keyof Events as `signal:${Exclude<Name & string, "message">}`]: Signal<
    Name & string,
    Events[Name]
  >;
};

/** The state of the connection, and its reason. */
export type ConnectionState =
  | { readonly status: "connecting"; readonly attempt: number; readonly reason: string }
  | { readonly status: "connected"; readonly transport: "websocket" | "polling"; readonly reason: string }
  | {
      readonly status: "waiting";
      readonly attempt: number;
      /** In ms since 1970. */
      readonly retryAt: number;
      readonly reason: string;
    }
  | { readonly status: "offline"; readonly reason: string }
  | {
      readonly status: "closed";
      readonly reason: string;
      /** Present if the server ended it, not the application. */
      readonly error?: EverwireError;
    };

/** The events of `Client.on`. */
export interface ClientEvents {
  state: ConnectionState;
  /** A signal to this connection, regardless of its subscriptions. */
  signal: Signal;
  /** An error that concerns the whole connection and does not change its state. */
  error: EverwireError;
}

/** Options of `connect`. */
export interface ConnectOptions {
  /** The URL of the server: `https://chat.example`. `ws:`, `wss:` and relative URLs are accepted too. */
  url: string;
  /**
   * A function that returns the user's token. Called again before the token expires and after it was refused. A string is the only
   * token that there is: the client stops when it is refused.
   */
  token?: string | (() => string | Promise<string>) | undefined;
  /** The user, if the server permits guests: in development only. */
  guest?: { user: string; name: string } | undefined;
  /** The permitted transports. Default: both, WebSocket first, HTTP polling where that does not work. */
  transports?: readonly ("websocket" | "polling")[] | undefined;
  /**
   * Whether unsent messages are kept in IndexedDB, to be sent by the next page of the same user. True by default; no effect
   * where storage is denied.
   */
  persist?: boolean | undefined;
  /**
   * After how long without pointer or keyboard input the user counts as away, in ms; 5 minutes by default. False: never. No
   * effect without a page.
   */
  idleAfter?: number | false | undefined;
  /** Logs to the console, or to a function. */
  debug?: boolean | ((line: string) => void) | undefined;
}

/** Options of `subscribe`. */
export interface SubscribeOptions {
  /** How many of the latest entries to replay, at most 500. */
  recent?: number | undefined;
  /** The position to resume from: later entries are replayed. */
  position?: Position | undefined;
  /**
   * Start after the last entry that was delivered to this user on any device. `recent` applies if nothing has been
   * delivered yet.
   */
  undelivered?: boolean | undefined;
}

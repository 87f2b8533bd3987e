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

/** What a channel carries if nothing else is said: any JSON, under any event name. The standard events are typed. */
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
  /** The application's name for what this is; absent for a plain message. */
  readonly event?: string;
  /** What was sent; null if this deletes another message. */
  readonly data: Data;
}

/** An event that is gone when missed. */
export interface Signal<Name extends string = string, Data = unknown>
  extends Omit<Signalled, "data" | "event"> {
  readonly event: Name;
  readonly data: Data;
}

/** Somebody who is typing. */
export interface Typist {
  readonly user: string;
  readonly name?: string;
}

/** A page of a channel's log. */
export interface HistoryPage extends Pick<WirePage, "epoch" | "more"> {
  /** The entries by rising offset, without a hole. */
  readonly messages: readonly Message[];
}

/** Which page. */
export interface HistoryOptions {
  /** Only entries before this offset, the latest ones. */
  before?: number | undefined;
  /** Only entries after this offset, the earliest ones. Not together with `before`. */
  after?: number | undefined;
  /** How many at most: 1 to 200, 50 if absent. */
  limit?: number | undefined;
}

/** How to send. */
export interface SendOptions {
  /** The id of the message that this one replies to. */
  replyTo?: string | undefined;
}

/** An entry with a name of its own. */
export interface EventMessage<Name extends string = string, Data = unknown> extends Message<Data> {
  readonly event: Name;
}

/** Every custom event of a channel, as a union that `event` tells apart. */
export type AnyEventMessage<Events> = {
  [Name in EventName<Events>]: EventMessage<Name, Events[Name]>;
}[EventName<Events>];

/** A place in a channel's log. Offsets mean nothing outside of their epoch. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** A subscription is in place, for the first time or again. */
export interface Subscribed extends Position {
  /** The last offset in the log at that moment: entries up to it are history that is being replayed. */
  readonly head: number;
  /** False if entries were missed for good: a `gap` came before. */
  readonly recovered: boolean;
}

/** Entries that were missed and can no longer be had: reload what they stood for. */
export interface Gap {
  /** The first offset that is missing. In another epoch than `to` if the reason is `epoch`. */
  readonly from: number;
  /** The last offset that is missing. */
  readonly to: number;
  /** `trimmed`: no longer stored; `too_far`: more than the server replays; `epoch`: the log was replaced. */
  readonly reason: string;
}

/** How far a message that is being sent has come. */
export type SendingStatus = "queued" | "sent" | "stored" | "failed";

/** A message of one's own on its way. A new object for every change. */
export interface Outgoing<Data = unknown> {
  readonly id: string;
  readonly data: Data;
  readonly event?: string;
  /** What it does to another message of the channel: `reply`, `edit` or `delete`. */
  readonly action?: Message["action"];
  /** The id of that message. */
  readonly target?: string;
  readonly status: SendingStatus;
  /** Where it was stored. */
  readonly offset?: number;
  /** When it was stored, in ms since 1970 by the server's clock. */
  readonly at?: number;
  /** Why it failed. */
  readonly error?: EverwireError;
}

/** What `send` resolves with: the message is on the server's disk. */
export interface Stored {
  readonly id: string;
  readonly offset: number;
  /** When it was stored, in ms since 1970 by the server's clock. */
  readonly at: number;
}

/** A promise that knows the message's id from the start. */
export type Sending = Promise<Stored> & { readonly id: string };

/** What `Channel.on` offers: the name of an event, and what its listeners get. */
export type ChannelEvents<Events> = {
  /** A plain message; also one that replies, edits or deletes: see `action`. */
  message: Message<MessageData<Events>>;
  /** Any custom event. */
  event: AnyEventMessage<Events>;
  subscribed: Subscribed;
  gap: Gap;
  joined: Member;
  left: Member;
  /** Everybody who is present, whenever that changed. */
  members: readonly Member[];
  sending: Outgoing;
  /** Who else is typing, whenever that changed. */
  typing: readonly Typist[];
  /** How far users have received and read the channel, whenever that changed. */
  receipts: ReadonlyMap<string, UserReceipt>;
  /** An event that is gone when missed. */
  signal: Signal;
  /** The server refused or ended the subscription. */
  error: EverwireError;
} & {
  // Over `keyof Events` itself: there, names that are known keep their types beside those that are any text.
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

/** What the connection is doing, and why. */
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
      /** Present when the server's refusal ended it, rather than the application. */
      readonly error?: EverwireError;
    };

/** What `Client.on` offers. */
export interface ClientEvents {
  state: ConnectionState;
  /** A signal for this connection, whatever it is subscribed to. */
  signal: Signal;
  /** Something went wrong that concerns the whole connection and is not a state. */
  error: EverwireError;
}

/** How to connect. */
export interface ConnectOptions {
  /** Where the server is: `https://chat.example`. `ws:`, `wss:` and relative URLs are taken too. */
  url: string;
  /** The user's token, or what gets one. Called again before the token expires and after it was refused. */
  token?: string | (() => string | Promise<string>) | undefined;
  /** Who speaks, where the server lets guests name themselves: in development only. */
  guest?: { user: string; name: string } | undefined;
  /** What may carry the connection. Both, if absent: WebSocket first, HTTP polling where that does not work. */
  transports?: readonly ("websocket" | "polling")[] | undefined;
  /**
   * Whether messages that are not stored yet outlive the page, in IndexedDB, to be sent by the next page of the same user.
   * True if absent; without effect where storage is denied.
   */
  persist?: boolean | undefined;
  /**
   * After how long without a pointer or a key the user counts as away, in ms; 5 minutes if absent. False: never. Without
   * effect where there is no page.
   */
  idleAfter?: number | false | undefined;
  /** Writes what happens to the console, or to a function. */
  debug?: boolean | ((line: string) => void) | undefined;
}

/** How to subscribe. */
export interface SubscribeOptions {
  /** How many of the latest entries to replay, 500 at most. */
  recent?: number | undefined;
  /** Where to resume: what came after it is replayed. */
  position?: Position | undefined;
  /**
   * Begin after what has been delivered to this user, on whatever device. `recent` counts where nothing has been
   * delivered yet.
   */
  undelivered?: boolean | undefined;
}

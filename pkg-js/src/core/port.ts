// What the parts of a client use of each other, so that none of them imports one that is made of it: channels and sends
// use the client through `ClientPort`, sends and the dispatcher use channels through `ChannelPort`. Types only: nothing of
// this file is in the bundle.

import type { Core, GapReason, Handle } from "../generated/bindings.js";
import type { Limits, ServerFrame, Subscribed as SubscribedFrame } from "../generated/protocol.js";
import type { Emitter } from "./emitter.js";
import type { EverwireError } from "./errors.js";
import type { Message, SendingStatus } from "./events.js";
import type { OutboxStorage } from "./outbox-storage.js";
import type { AnswerTo, RequestFields, RequestOptions, RequestType } from "./requests.js";

/** What has become of a send or a request. */
export interface Outcome {
  readonly status: SendingStatus;
  /** Where a send was stored, and when. */
  readonly offset?: number | undefined;
  readonly at?: number | undefined;
  readonly error?: EverwireError | undefined;
  /** A send failed because its client did: it stays in the database for the next one. */
  readonly kept?: boolean;
  /** The frame that answers a request. */
  readonly answer?: ServerFrame;
}

/** Is called with each outcome of a send or a request. */
export type Track = (outcome: Outcome) => void;

/** The limits of a server that the package observes itself. */
export type SizeLimits = Pick<Limits, "payload_bytes" | "subscriptions" | "text_characters">;

/** The client, as its channels and sends see it. */
export interface ClientPort {
  /** @internal Who the server takes this client for. */
  readonly _user: string | undefined;
  /** The current connection, if there is one. */
  readonly connection: string | undefined;
  /** @internal The run of the server's data, as the last `welcome` named it. */
  readonly _run: string | undefined;
  /** @internal What the server takes, as the last `welcome` said. */
  readonly _limits: SizeLimits;
  /** @internal Channels by the core's handle of their subscription. */
  readonly _handles: Map<Handle, ChannelPort>;
  /** @internal Sends and requests without a final outcome, by id. */
  readonly _sends: Map<string, Track>;
  /** @internal Keeps unsent messages beyond the page. */
  readonly _outbox: OutboxStorage | undefined;
  /** @internal Calls the core, at once or when it is loaded; `refuse` gets the error if it refuses. `length`: of a send's data. */
  _call(act: (core: Core) => void, refuse?: (error: EverwireError) => void, length?: number): void;
  /** @internal Withdraws a send unless it is on its way. */
  _cancel(id: string, track: Track): void;
  /** @internal Reports an error that is neither a state nor about one subscription or send. */
  _emitError(error: EverwireError): void;
  /** @internal Sends a frame if there is a connection, and says whether. Throws `invalid_payload` or `too_large`. */
  _sendEphemeral(frame: object): boolean;
  request<Type extends RequestType>(
    type: Type,
    fields: RequestFields<Type>,
    options?: RequestOptions,
  ): Promise<AnswerTo<Type>>;
}

/** The frames that a channel handles after the core has said that its subscription is live. */
export type ChannelFrame = Extract<
  ServerFrame,
  {
    type:
      | "member_joined"
      | "member_left"
      | "user_typing"
      | "signalled"
      | "receipt"
      | "status_changed"
      | "activity"
      | "chat_changed"
      | "chat_gone";
  }
>;

/** A channel, as the client, the dispatcher and sends see it. */
export interface ChannelPort {
  readonly name: string;
  /** @internal The core's handle of the running subscription. */
  readonly _handle: Handle | undefined;
  /** @internal */
  readonly _emitter: Emitter;
  /** @internal The core has accepted this entry. */
  _deliver(message: Message): void;
  /** @internal The core has accepted a `subscribed` frame: the subscription continues at `offset`. `from`: of a gap. */
  _onSubscribed(frame: SubscribedFrame, offset: number, from?: number, reason?: GapReason): void;
  /** @internal State or an ephemeral event of the running subscription. */
  _onFrame(frame: ChannelFrame, core: Core): void;
  /** @internal The core has not heard of this typist for too long. */
  _typingExpired(typist: number): void;
  /** @internal The subscription has ended. `silent`: the application ended it, so there is no `error` event. */
  _end(error: EverwireError, silent?: boolean): void;
}

// Turns a parsed batch into calls of the core: the only place that knows the shapes of frames. Every field is checked
// against the generated types, and a mismatch becomes `Core.violation`: invalid data from a server never throws. The core
// decides whether a frame counts.

import type { Core, GapReason } from "../generated/bindings.js";
import type { ServerFrame } from "../generated/protocol.js";
import type { Emitter } from "./emitter.js";
import { EverwireError } from "./errors.js";
import type { ChannelFrame, ChannelPort, SizeLimits, Track } from "./port.js";

/** The receivers of frames besides the core. */
export interface Receiver {
  /** @internal Emits frames that do not concern one channel only, as `frame`. */
  readonly _emitter: Emitter;
  /** @internal The channels of the application, by name. */
  readonly _channels: ReadonlyMap<string, ChannelPort>;
  /** @internal Pending sends and requests, by id. */
  readonly _sends: ReadonlyMap<string, Track>;
  /** @internal The connection of the last `welcome`. */
  _connection: string | undefined;
  /** @internal What the server takes, from the last `welcome`. */
  _limits: SizeLimits;
  /** @internal The run of the server's store, from the last `welcome`. */
  _run: string | undefined;
  /** @internal The user as the server knows it. */
  _user: string | undefined;
  /** @internal Reports an error that is neither a state nor about one subscription or send. */
  _emitError(error: EverwireError): void;
}

/** Whether the value of a field is valid. `Kind` is for tsc only. */
type Check<Kind> = ((value: unknown) => boolean) & { readonly kind?: Kind };

const text: Check<"text"> = (value) => typeof value === "string";
const flag: Check<"flag"> = (value) => typeof value === "boolean";
const whole: Check<"whole"> = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const any: Check<"any"> = (value) => value !== undefined;
const like =
  <Fields extends object>(shape: Fields): Check<Fields> =>
  (value) =>
    misfit(value, shape) === "";
const list =
  <Item>(fits: Check<Item>): Check<[Item]> =>
  (value) =>
    Array.isArray(value) && value.every(fits);
// Absent fields are left out, but null is read as absent, as the Rust side does.
const maybe =
  <Kind>(fits: Check<Kind>): Check<Kind | undefined> =>
  (value) =>
    value == null || fits(value);

type Kind<T> = unknown extends T
  ? "any"
  : T extends string
    ? "text"
    : T extends number
      ? "whole"
      : T extends boolean
        ? "flag"
        : T extends readonly (infer Item)[]
          ? [Kind<Item>]
          : T extends undefined
            ? undefined
            : Shape<T>;

/** A check for each field of `T`. */
type Shape<T> = { readonly [Field in keyof T]-?: Check<Kind<T[Field]>> };

type FrameOf<Type> = Omit<Extract<ServerFrame, { type: Type }>, "type">;

const number = maybe(whole);
const word = maybe(text);
const status: Check<"text"> = (value) => /^(on|off)line$|^away$/.test(value as string);
const MEMBER = like({ user: text, name: word, status: maybe(status) });
const MEMBERS = list(MEMBER);
const OWN_MARK = { delivered: whole, read: whole };
const MARK = { ...OWN_MARK, user: text };
const MARKS = list(like(MARK));
const STATUS = { user: text, status, last_seen: number };
const DELETED = maybe(like({ user: text, at: whole }));
const MESSAGE = {
  channel: text,
  offset: whole,
  id: text,
  user: text,
  name: word,
  at: whole,
  event: word,
  data: any,
  action: word,
  target: word,
  deleted: DELETED,
};
const CHAT_MEMBERS = list(like({ ...MARK, ...STATUS, name: word, role: text }));
const CHAT = like({
  id: text,
  kind: text,
  title: word,
  open: flag,
  role: text,
  members: CHAT_MEMBERS,
  member_count: whole,
  read: whole,
  head: whole,
  unread: whole,
  last: maybe(like(MESSAGE)),
  at: whole,
});
const CHATS = list(CHAT);

// tsc checks this table against the generated types: a frame or field that is added, renamed or made optional is an error.
const SHAPES: { readonly [Type in ServerFrame["type"]]: Shape<FrameOf<Type>> } = {
  welcome: {
    // The only version that `hello` offers.
    version: (value) => value === 1,
    features: list(text),
    session: text,
    connection: text,
    run: text,
    user: text,
    name: word,
    server_time: whole,
    ping_interval_ms: whole,
    hold_ms: whole,
    token_expires_in_ms: number,
    limits: like({
      payload_bytes: whole,
      batch_bytes: whole,
      batch_frames: whole,
      subscriptions: whole,
      sends_per_minute: number,
      text_characters: number,
    }),
  },
  subscribed: {
    channel: text,
    epoch: text,
    offset: whole,
    head: whole,
    gap: maybe(like({ from: whole, to: whole, reason: text })),
    members: maybe(MEMBERS),
    members_next: word,
    own_mark: maybe(like(OWN_MARK)),
    receipts: maybe(MARKS),
    receipts_next: word,
    chats: maybe(CHATS),
    chats_more: maybe(flag),
  },
  unsubscribed: { channel: text, code: word, message: word, retry_after_ms: number },
  message: MESSAGE,
  ack: { id: text, channel: text, offset: whole, at: whole },
  error: {
    code: text,
    message: text,
    retry: flag,
    id: word,
    ids: maybe(list(text)),
    re: word,
    channel: word,
    retry_after_ms: number,
    versions: maybe(list(whole)),
  },
  member_joined: { channel: text, member: MEMBER },
  member_left: { channel: text, user: text },
  token_accepted: { expires_in_ms: number },
  polled: { seq: whole, connection: word },
  ping: { nonce: number },
  pong: { nonce: number },
  goaway: { delay_ms: whole, spread_ms: whole, reason: text },
  user_typing: { channel: text, user: text, name: word, typing: flag },
  signalled: { channel: word, event: text, data: any, user: word, name: word, from: word, at: whole },
  receipt: { ...MARK, channel: text, unread: number },
  status_changed: { ...STATUS, channel: text, name: word },
  activity: { message: like(MESSAGE) },
  chat_changed: { channel: text, chat: CHAT },
  chat_gone: { channel: text, chat: text },
  done: { id: text, chat: maybe(CHAT) },
  history_page: { id: text, channel: text, epoch: text, messages: list(like(MESSAGE)), more: flag },
  chats: { id: text, chats: CHATS, next: word },
  chat_members: { id: text, chat: text, members: CHAT_MEMBERS, next: word },
  members: { id: text, channel: text, members: MEMBERS, next: word },
  receipts: { id: text, channel: text, receipts: MARKS, next: word },
  statuses: { id: text, statuses: list(like(STATUS)) },
};

/** The name of the first field of `value` that does not match `shape`; "" if all do; undefined if it is not an object. */
function misfit(value: unknown, shape: object): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, fits] of Object.entries(shape)) {
    if (!fits((value as Record<string, unknown>)[name])) return name;
  }
  return "";
}

/** Passes the frames of a batch to the core and to the channels, in order. Throws only if the core does. */
export function dispatch(frames: unknown, core: Core, receiver: Receiver): void {
  if (!Array.isArray(frames)) {
    core.violation({ message: "the batch is not an array" });
    return;
  }
  // Frames of one channel arrive in runs, and comparing names is cheaper than a lookup.
  let last: ChannelPort | undefined;
  for (const frame of frames as readonly ServerFrame[]) {
    // The hot path: checked by hand, because the table is several times slower.
    if (
      frame?.type === "message" &&
      DELETED(frame.deleted) &&
      whole(frame.offset) &&
      whole(frame.at) &&
      text(frame.channel) &&
      text(frame.id) &&
      text(frame.user) &&
      word(frame.event) &&
      word(frame.name) &&
      any(frame.data) &&
      (frame.action == null || (text(frame.action) && text(frame.target)))
    ) {
      const channel = last?.name === frame.channel ? last : receiver._channels.get(frame.channel);
      last = channel;
      const handle = channel?._handle;
      if (handle !== undefined && core.accept(handle, frame.offset)) channel?._deliver(frame);
      continue;
    }
    const type: unknown = frame?.type;
    if (typeof type !== "string") core.violation({ message: "a frame has no type" });
    else if (Object.hasOwn(SHAPES, type)) {
      // A message whose fields fit one by one, and which still did not fit above, acts on nothing.
      const wrong = misfit(frame, SHAPES[type as ServerFrame["type"]]) || (type === "message" && "target");
      if (wrong) {
        const message = `invalid field ${wrong} of a ${type} frame`;
        const { channel, offset } = frame as FrameOf<"message">;
        // The position moves past a message that cannot be read: after a reconnect the server would send it again.
        if (type === "message" && text(channel) && whole(offset)) {
          const handle = receiver._channels.get(channel)?._handle;
          if (handle !== undefined && core.accept(handle, offset))
            receiver._emitError(new EverwireError("protocol_violation", message));
        } else core.violation({ message });
      } else take(frame, core, receiver);
    }
  }
}

/** A frame with a valid shape. */
function take(frame: ServerFrame, core: Core, receiver: Receiver): void {
  const channel =
    "channel" in frame && frame.channel != null ? receiver._channels.get(frame.channel) : undefined;
  const handle = channel?._handle;
  const refused = (outcome: string | undefined, error: EverwireError, id?: string | null) => {
    if (outcome === "ended") channel?._end(error);
    else if (outcome === "failed") receiver._sends.get(id ?? "")?.({ status: "failed", error });
    else if (outcome === "error") receiver._emitError(error);
  };
  switch (frame.type) {
    case "message":
      // Handled above.
      break;
    case "subscribed": {
      if (channel === undefined || handle === undefined) break;
      const { epoch, offset, head, own_mark } = frame;
      const { from: gap_from, reason } = frame.gap ?? {};
      const gap = reason as GapReason | undefined;
      const confirmed = core.subscribedFrame({ handle, epoch, offset, head, gap_from, gap });
      if (confirmed === undefined) break;
      // The core marks what arrives as delivered from now on.
      if (own_mark != null) core.ownReceipt({ ...own_mark, handle });
      // A listener may have ended the subscription meanwhile.
      if (channel._handle === handle) channel._onSubscribed(frame, ...confirmed);
      receiver._emitter.emit("frame", frame);
      break;
    }
    case "unsubscribed": {
      const { code, message, retry_after_ms } = frame;
      const error = new EverwireError(code ?? "internal", message ?? undefined, retry_after_ms ?? undefined);
      refused(core.unsubscribedFrame({ ...frame, handle }), error);
      break;
    }
    case "ack":
      if (core.ack(frame))
        receiver._sends.get(frame.id)?.({ status: "stored", offset: frame.offset, at: frame.at });
      break;
    case "error": {
      const { code, message, id, retry_after_ms } = frame;
      const outcome = core.refused(frame);
      // Nobody asked for `idle`: a server without the status of users refuses what the page says by itself.
      if (frame.re !== "idle")
        refused(outcome, new EverwireError(code, message, retry_after_ms ?? undefined), id);
      break;
    }
    case "welcome":
      receiver._user = frame.user;
      receiver._connection = frame.connection;
      receiver._limits = frame.limits;
      receiver._run = frame.run;
      core.welcome({ ...frame, ...frame.limits });
      break;
    case "token_accepted":
      core.tokenAccepted(frame);
      break;
    case "polled":
      core.polled(frame);
      break;
    case "ping":
      core.ping(frame);
      break;
    case "pong":
      // Like every frame it is a sign of life, and the core has seen it as such.
      break;
    case "goaway":
      core.goaway(frame);
      break;
    case "done":
    case "history_page":
    case "chats":
    case "chat_members":
    case "members":
    case "receipts":
    case "statuses":
      if (core.answered(frame)) receiver._sends.get(frame.id)?.({ status: "stored", answer: frame });
      break;
    default:
      // State and ephemeral events: any other type is an error here. Without a subscription they concern the user.
      frame satisfies ChannelFrame;
      if (channel !== undefined && handle !== undefined) {
        if (!core.live({ handle })) break;
        if (frame.type === "receipt" && frame.user === receiver._user) core.ownReceipt({ ...frame, handle });
        channel._onFrame(frame, core);
      }
      receiver._emitter.emit(frame.type === "signalled" && frame.channel == null ? "signal" : "frame", frame);
  }
}

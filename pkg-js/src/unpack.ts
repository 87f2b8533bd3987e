// From a batch that has been parsed to calls of the core: the only place that knows the shapes of frames. Every field is
// checked against the generated types, and what does not fit becomes `Core.violation`: rubbish from a server never
// throws. Whether a frame counts is not decided here.

import type { Core } from "./border.js";
import type { Channel } from "./channel.js";
import type { ServerFrame } from "./generated/protocol.js";

/** What frames are about, besides the core. */
export interface Receiver {
  /** @internal By name: the channels that the application has asked for. */
  readonly _channels: ReadonlyMap<string, Channel<object>>;
  /** @internal Who the server takes this client for. */
  _user: string | undefined;
  /** @internal Set while the core is told of an error: what it says meanwhile is about that. */
  _retryAfterMs: number | undefined;
}

// How a field is checked: its kind, or the shape of the object or of the list's items that it holds.
const TEXT = "string";
const FLAG = "boolean";
const WHOLE = "number";
const ANY = "";

type Kind<T> = unknown extends T
  ? typeof ANY
  : T extends string
    ? typeof TEXT
    : T extends number
      ? typeof WHOLE
      : T extends boolean
        ? typeof FLAG
        : T extends readonly (infer Item)[]
          ? [Shape<Item>]
          : Shape<T>;

/** A check for each field of `T`. Required fields come under their own name, optional ones under `name?`. */
type Shape<T> = {
  [Field in keyof T as undefined extends T[Field]
    ? unknown extends T[Field]
      ? Field
      : `${Field & string}?`
    : Field]: Kind<Exclude<T[Field], undefined>>;
};

type FrameOf<Type> = Omit<Extract<ServerFrame, { type: Type }>, "type">;

const MEMBER = { user: TEXT, "name?": TEXT } as const;

// tsc holds this table to the generated types: a frame or field that is added, renamed or made optional is an error here.
const SHAPES: { readonly [Type in ServerFrame["type"]]: Shape<FrameOf<Type>> } = {
  welcome: {
    version: WHOLE,
    session: TEXT,
    connection: TEXT,
    user: TEXT,
    "name?": TEXT,
    server_time: WHOLE,
    ping_interval_ms: WHOLE,
    hold_ms: WHOLE,
    "token_expires_in_ms?": WHOLE,
    limits: { payload_bytes: WHOLE, batch_bytes: WHOLE, batch_frames: WHOLE, subscriptions: WHOLE },
  },
  subscribed: {
    channel: TEXT,
    epoch: TEXT,
    offset: WHOLE,
    head: WHOLE,
    "gap?": { from: WHOLE, to: WHOLE, reason: TEXT },
    "members?": [MEMBER],
  },
  unsubscribed: { channel: TEXT, "code?": TEXT, "message?": TEXT },
  message: {
    channel: TEXT,
    offset: WHOLE,
    id: TEXT,
    user: TEXT,
    "name?": TEXT,
    at: WHOLE,
    "event?": TEXT,
    data: ANY,
  },
  ack: { id: TEXT, channel: TEXT, offset: WHOLE, at: WHOLE },
  error: { code: TEXT, message: TEXT, retry: FLAG, "id?": TEXT, "channel?": TEXT, "retry_after_ms?": WHOLE },
  joined: { channel: TEXT, member: MEMBER },
  left: { channel: TEXT, user: TEXT },
  polled: { seq: WHOLE },
  ping: { "nonce?": WHOLE },
  pong: { "nonce?": WHOLE },
  goaway: { delay_ms: WHOLE, spread_ms: WHOLE, reason: TEXT },
};

type Fields = Record<string, unknown>;

/** The name of the first field of `value` that is not as `shape` says; "" if all are; undefined if it is no object. */
function misfit(value: unknown, shape: object): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const [entry, kind] of Object.entries(shape)) {
    const optional = entry.endsWith("?");
    const name = optional ? entry.slice(0, -1) : entry;
    const field = (value as Fields)[name];
    // Absent fields are left out, but null is read as absent, as the Rust side does.
    if (optional && field == null) continue;
    const fits =
      kind === ANY
        ? field !== undefined
        : kind === WHOLE
          ? whole(field)
          : typeof kind === "string"
            ? typeof field === kind
            : Array.isArray(kind)
              ? Array.isArray(field) && field.every((item) => misfit(item, kind[0]) === "")
              : misfit(field, kind) === "";
    if (!fits) return name;
  }
  return "";
}

const whole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** Hands the frames of a batch to the core and to the channels, in order. Does not throw, unless the core itself does. */
export function unpack(frames: unknown, core: Core, receiver: Receiver): void {
  if (!Array.isArray(frames)) {
    core.violation("a batch is not an array of frames");
    return;
  }
  // Frames of one channel come in runs, and comparing names costs less than looking one up.
  let last: Channel<object> | undefined;
  for (const frame of frames as readonly ServerFrame[]) {
    // The hot path: checked by hand because the table is several times slower.
    if (
      frame?.type === "message" &&
      whole(frame.offset) &&
      whole(frame.at) &&
      typeof frame.channel === "string" &&
      typeof frame.id === "string" &&
      typeof frame.user === "string" &&
      (frame.event == null || typeof frame.event === "string") &&
      (frame.name == null || typeof frame.name === "string") &&
      frame.data !== undefined
    ) {
      const channel = last?.name === frame.channel ? last : receiver._channels.get(frame.channel);
      last = channel;
      if (channel !== undefined && channel._handle >= 0 && core.accept(channel._handle, frame.offset)) {
        channel._deliver(frame);
      }
      continue;
    }
    const type: unknown = frame?.type;
    if (typeof type !== "string") core.violation("a frame is not an object with a type");
    else if (Object.hasOwn(SHAPES, type)) {
      const wrong = misfit(frame, SHAPES[type as ServerFrame["type"]]);
      if (wrong === "") take(frame, core, receiver);
      else core.violation(`the field ${wrong} of a frame ${type} is missing or has a wrong value`);
    }
  }
}

/** One frame that has the right shape. */
function take(frame: ServerFrame, core: Core, receiver: Receiver): void {
  // -1 is the handle of a channel without a subscription, and stands for absent numbers too.
  const channel =
    "channel" in frame && frame.channel != null ? receiver._channels.get(frame.channel) : undefined;
  const handle = channel?._handle ?? -1;
  switch (frame.type) {
    case "message":
      // Handled above.
      break;
    case "subscribed": {
      if (channel === undefined || handle < 0) break;
      const { epoch, offset, head, gap } = frame;
      channel._snapshot(frame.members ?? [], () => core.subscribed(handle, epoch, offset, head, gap?.reason));
      break;
    }
    case "unsubscribed":
      core.unsubscribed(handle, frame.channel, frame.code ?? undefined, frame.message ?? undefined);
      break;
    case "joined":
      if (channel !== undefined && handle >= 0 && core.live(handle)) channel._joined(frame.member);
      break;
    case "left":
      if (channel !== undefined && handle >= 0 && core.live(handle)) channel._left(frame.user);
      break;
    case "ack":
      core.ack(frame.id, frame.offset, frame.at);
      break;
    case "error":
      receiver._retryAfterMs = frame.retry_after_ms ?? undefined;
      core.refused(
        frame.code,
        frame.message,
        frame.retry,
        frame.id ?? undefined,
        frame.channel != null && handle < 0 ? -2 : handle,
        frame.retry_after_ms ?? -1,
      );
      receiver._retryAfterMs = undefined;
      break;
    case "welcome":
      receiver._user = frame.user;
      core.welcome(
        frame.connection,
        frame.user,
        frame.ping_interval_ms,
        frame.hold_ms,
        frame.token_expires_in_ms ?? -1,
        frame.limits.payload_bytes,
        frame.limits.batch_bytes,
      );
      break;
    case "polled":
      core.polled(frame.seq);
      break;
    case "ping":
      core.ping(frame.nonce ?? -1);
      break;
    case "pong":
      // Like every frame it is a sign of life, and the core has seen it as such.
      break;
    case "goaway":
      core.goaway(frame.delay_ms, frame.spread_ms, frame.reason);
      break;
    default:
      frame satisfies never;
  }
}

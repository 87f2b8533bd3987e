// One send, from the call to stored or failed: its promise and its `sending` events. The core decides its outcome.

import { type Action, MAX_EVENT_BYTES } from "../generated/protocol.js";
import { defer, quiet } from "./deferred.js";
import { asError, EverwireError } from "./errors.js";
import type { Outgoing, Sending, Stored } from "./events.js";
import { uuid7 } from "./ids.js";
import type { StoredSend } from "./outbox-storage.js";
import type { ChannelPort, ClientPort, Track } from "./port.js";

/** The kind of a message. */
export interface Kind {
  readonly event?: string | undefined;
  readonly action?: Action | undefined;
  readonly target?: string | undefined;
}

/** Encodes data as JSON. Throws `invalid_payload`. */
export function jsonOf(data: unknown): string {
  let why = "not a JSON value";
  try {
    const text: string | undefined = JSON.stringify(data);
    if (text !== undefined) return text;
  } catch (cause) {
    why = String(cause);
  }
  throw new EverwireError("invalid_payload", `Invalid payload: ${why}.`);
}

/** Throws `too_large` for data that the server would refuse. It says its limits when it welcomes the client. */
export function checkSize({ _limits }: ClientPort, data: unknown, json: string): void {
  const { payload_bytes, text_characters } = _limits;
  const check = (count: number, most: number, unit: string) => {
    if (count <= most) return;
    throw new EverwireError("too_large", `Too large: ${count} ${unit} exceed the limit of ${most}.`);
  };
  // No character has more than three bytes for each of its UTF-16 units.
  if (json.length * 3 > payload_bytes)
    check(new TextEncoder().encode(json).length, payload_bytes, "bytes of JSON");
  const text = typeof data === "string" ? data : (data as { text?: unknown } | null)?.text;
  if (text_characters != null && typeof text === "string")
    check([...text].length, text_characters, "characters");
}

/** Throws `invalid_option` for an invalid event name: a server counts such frames, and closes the connection. */
export function checkEvent(event: unknown): void {
  const bytes = typeof event === "string" ? new TextEncoder().encode(event).length : 0;
  if (bytes === 0 || bytes > MAX_EVENT_BYTES) {
    throw new EverwireError("invalid_option", `Invalid event name: expected 1 to ${MAX_EVENT_BYTES} bytes.`);
  }
}

/** Creates the id, queues the message, and tracks it. `restored`: from an earlier page. */
export function beginSend(
  client: ClientPort,
  channel: ChannelPort,
  data: unknown,
  kind: Kind,
  restored?: StoredSend,
): Sending {
  const id = restored?.id ?? uuid7();
  const { event, action, target } = kind;
  const done = defer<Stored>();
  let now: Outgoing | undefined;

  const track: Track = ({ status, offset = -1, at = -1, error, kept }) => {
    // The core repeats what was reported here before it was loaded.
    if (status === now?.status) return;
    now = {
      id,
      data,
      status,
      ...(event !== undefined && { event }),
      ...(action !== undefined && { action }),
      ...(target !== undefined && { target }),
      ...(status === "stored" && { offset, at }),
      ...(error !== undefined && { error }),
    };
    const heard = channel._emitter.has("sending");
    if (status === "sent") client._outbox?.left(id);
    if (status === "stored" || status === "failed") {
      client._sends.delete(id);
      // What nobody has heard of is offered again by the next page.
      const unheard = error?.code === "too_old" && !heard;
      if (unheard) client._emitError(error);
      if (kept !== true && !unheard) client._outbox?.delete(id);
    }
    channel._emitter.emit("sending", now);
    if (status === "stored") done.resolve({ id, offset, at });
    if (error !== undefined) {
      // If it closed the client, withdrew the message, or listens to `sending`, the application knows already.
      if (heard || error.code === "closed" || error.code === "cancelled") quiet(done.promise);
      done.reject(error);
    }
  };
  const fail = (cause: unknown) => {
    const error = asError(cause);
    // What an earlier page has promised to keep is not lost because there is no room at the moment.
    track({ status: "failed", error, kept: restored !== undefined && error.retry });
  };

  try {
    const json = jsonOf(data);
    // What was accepted on an earlier page is left to the server.
    if (restored === undefined) checkSize(client, data, json);
    const head = jsonOf({ type: "send", id, channel: channel.name, ...kind });
    const frame = `${head.slice(0, -1)},"data":${json}}`;
    if (event !== undefined) checkEvent(event);
    if (typeof (target ?? "") !== "string") {
      throw new EverwireError("invalid_option", "Invalid message id: expected a string.");
    }
    client._sends.set(id, track);
    if (restored === undefined) client._outbox?.put(id, frame, client.connection !== undefined);
    const left = restored?.left;
    const send = {
      id,
      channel: channel.name,
      frame,
      restored: restored !== undefined,
      left_ago_ms: left === undefined ? left : Math.max(0, Date.now() - left),
    };
    // Not if it was withdrawn before the core was loaded.
    client._call((core) => client._sends.has(id) && core.send(send), fail, json.length);
    // Not if it was refused immediately.
    if (now === undefined) track({ status: "queued" });
  } catch (cause) {
    fail(cause);
  }
  const cancel = () => {
    if (now?.status === "queued") client._cancel(id, track);
    return now?.error?.code === "cancelled";
  };
  return Object.assign(done.promise, { id, cancel });
}

// One message of one's own on its way, from `send` to stored or failed: its promise and its `sending` events. What
// becomes of it is the core's decision.

import { SendStatus } from "./border.js";
import type { Channel } from "./channel.js";
import type { Link } from "./client.js";
import { defer, quiet } from "./deferred.js";
import { asError, EverwireError } from "./errors.js";
import type { Outgoing, Sending, Stored } from "./events.js";
import { uuid7 } from "./ids.js";

/** Takes the changes of a message that is on its way. */
export type Track = (status: SendStatus, offset: number, at: number, error?: EverwireError) => void;

const NAMES = ["queued", "sent", "stored", "failed"] as const;

/** Mints the id, queues the message, and follows it. `restored`: the id that it got before the page was loaded. */
export function beginSend(
  link: Link,
  channel: Channel<object>,
  data: unknown,
  event: string | undefined,
  restored?: string,
): Sending {
  const id = restored ?? uuid7();
  const done = defer<Stored>();
  let now: Outgoing | undefined;

  const track: Track = (status, offset, at, error) => {
    const name = NAMES[status] ?? "queued";
    // The core says again what was said here before it was there.
    if (name === now?.status) return;
    now = {
      id,
      data,
      status: name,
      ...(event !== undefined && { event }),
      ...(status === SendStatus.Stored && { offset, at }),
      ...(error !== undefined && { error }),
    };
    if (status >= SendStatus.Stored) {
      link._sends.delete(id);
      link._keep?.delete(id);
    }
    channel._emitter.emit("sending", now);
    if (status === SendStatus.Stored) done.resolve({ id, offset, at });
    if (error !== undefined) {
      // Whoever closed the client, or listens to `sending`, knows already; else the page should hear of it.
      if (error.code === "closed" || channel._emitter.has("sending")) quiet(done.promise);
      done.reject(error);
    }
  };
  const fail = (error: EverwireError) => track(SendStatus.Failed, -1, -1, error);

  let text: string | undefined;
  let why = "it is not a JSON value";
  try {
    text = JSON.stringify(data);
  } catch (cause) {
    why = String(cause);
  }
  if (text === undefined) {
    fail(new EverwireError("invalid_payload", `The data cannot be written as JSON: ${why}.`));
  } else if (event !== undefined && typeof event !== "string") {
    fail(new EverwireError("invalid_option", "The option event must be a string."));
  } else {
    const json = text;
    link._sends.set(id, track);
    if (restored === undefined) link._keep?.put(id, channel.name, event, json);
    link._call(
      (core) => {
        try {
          core.send(id, channel.name, event, json, restored !== undefined);
        } catch (cause) {
          fail(asError(cause));
        }
      },
      fail,
      json.length,
    );
    // Not if it was refused at once.
    if (now === undefined) track(SendStatus.Queued, -1, -1);
  }
  return Object.assign(done.promise, { id });
}

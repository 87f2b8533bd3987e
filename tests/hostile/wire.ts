// The smallest client that speaks the protocol: a WebSocket with a token, and functions that build frames. Nothing here waits
// its turn or follows a rule, so attackers use it, too.

import { createHmac, randomUUID } from "node:crypto";
import WebSocket from "ws";

export const SECRET = "the secret of the hostile tests";

export type Frame = { readonly type: string } & Readonly<Record<string, unknown>>;

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token that grants every channel. */
export function tokenOf(user: string): string {
  const claims = { sub: user, name: user, exp: Math.floor(Date.now() / 1000) + 3600, grants: ["*"] };
  const text = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded(claims)}`;
  return `${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
}

export const hello = (user: string, session: string = randomUUID()): Frame => ({
  type: "hello",
  version: 1,
  session,
  token: tokenOf(user),
});
export const subscribe = (channel: string, more: object = {}): Frame => ({
  type: "subscribe",
  channel,
  ...more,
});
export const unsubscribe = (channel: string): Frame => ({ type: "unsubscribe", channel });

/** A message id: a UUID of version 7. */
export function newId(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

export const send = (channel: string, data: unknown): Frame => ({ type: "send", id: newId(), channel, data });

/** The same frames over and over, as one batch. */
export const batchOf = (count: number, frames: readonly Frame[]): string =>
  JSON.stringify(Array.from({ length: count }, (_, index) => frames[index % frames.length]));

/** A WebSocket from an address of this machine. */
export function openSocket(port: number, from: string): WebSocket {
  const options = { localAddress: from, perMessageDeflate: false, handshakeTimeout: 30_000 };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/everwire/v1/ws`, "everwire.v1", options);
  // The close event follows.
  socket.on("error", () => undefined);
  return socket;
}

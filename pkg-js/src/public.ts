// What the entries with `connect` have in common.

export type { Channel } from "./core/channel.js";
export type { Client } from "./core/client.js";
export type { Unsubscribe } from "./core/emitter.js";
export { type ErrorCode, EverwireError } from "./core/errors.js";
export type * from "./core/events.js";

// Everwire's default entry: the WebAssembly is in a chunk of its own.

import { connect } from "everwire";
import type { Open } from "./client.js";
import { follow } from "./follow.js";

export const open: Open = (target, listener) =>
  follow(connect({ url: target.url, guest: { user: "reader", name: "Reader" } }), target, listener);

// Everwire's eager entry: the WebAssembly comes with the JavaScript.

import { connect } from "everwire/eager";
import type { Open } from "./client.js";
import { follow } from "./follow.js";

export const open: Open = (target, listener) =>
  follow(connect({ url: target.url, guest: { user: "reader", name: "Reader" } }), target, listener);

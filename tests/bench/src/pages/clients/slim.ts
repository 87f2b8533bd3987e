// Everwire's slim entry: the WebAssembly is a file on the page's server, and is compiled while streaming.

import { connect } from "everwire/slim";
import type { Open } from "./client.js";
import { follow } from "./follow.js";

export const open: Open = (target, listener) =>
  follow(
    connect({
      url: target.url,
      guest: { user: "reader", name: "Reader" },
      wasm: new URL("/everwire.wasm", location.href),
    }),
    target,
    listener,
  );

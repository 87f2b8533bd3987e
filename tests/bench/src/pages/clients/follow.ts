// What both of Everwire's entries share.

import type { Client } from "everwire";
import type { Listener, Target } from "./client.js";

export function follow(client: Client, { channel: name, from }: Target, listener: Listener): () => unknown {
  client.on("state", ({ status }) => {
    if (status === "connected") listener.connected();
  });
  const channel = client.channel(name);
  channel.on("message", listener.message);
  channel.on("subscribed", () => listener.subscribed?.());
  const options = from === undefined ? {} : "epoch" in from ? { position: from } : from;
  void channel.subscribe(options);
  return () => client.close();
}

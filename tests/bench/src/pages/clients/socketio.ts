// socket.io-client: with its defaults, which start with HTTP and then upgrade, and restricted to WebSocket.

import { io } from "socket.io-client";
import type { Listener, Open, Target } from "./client.js";

function follow(
  { url, channel }: Target,
  { connected, subscribed, message }: Listener,
  transports?: string[],
): () => unknown {
  const socket = io(url, { forceNew: true, ...(transports && { transports }) });
  socket.on("connect", () => {
    connected();
    socket.emit("subscribe", channel, () => subscribed?.());
  });
  socket.on("message", message);
  return () => socket.disconnect();
}

export const open: Open = (target, listener) => follow(target, listener);

export const openWebSocket: Open = (target, listener) => follow(target, listener, ["websocket"]);

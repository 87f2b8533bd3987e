// The JavaScript client of Phoenix channels.

import { Socket } from "phoenix";
import { type Open, webSocketUrl } from "./client.js";

export const open: Open = ({ url, channel: topic }, { connected, message }) => {
  const socket = new Socket(`${webSocketUrl(url)}/socket`);
  socket.onOpen(connected);
  socket.connect();
  const channel = socket.channel(topic);
  channel.on("message", message);
  channel.join();
  return () => socket.disconnect();
};

// The baseline without a client: a WebSocket, JSON.parse, a loop.

import { SUBPROTOCOL, WEBSOCKET_PATH } from "../../../../../protocol/generated/protocol";
import { type Listener, type Open, webSocketUrl } from "./client.js";

/** One frame per WebSocket message. */
export const openSingle: Open = ({ url, channel }, { connected, message }) => {
  const socket = new WebSocket(`${webSocketUrl(url)}/${channel}`);
  socket.onopen = connected;
  socket.onmessage = (event) => message(JSON.parse(event.data));
  return () => socket.close();
};

/** A list of frames per WebSocket message. */
export const openBatched: Open = ({ url, channel }, listener) => {
  const socket = new WebSocket(`${webSocketUrl(url)}/${channel}`);
  socket.onopen = listener.connected;
  return loop(socket, listener);
};

/** The same with Everwire's server: sends what is necessary to receive a channel, and nothing more. */
export const openAtEverwire: Open = ({ url, channel, from }, listener) => {
  const socket = new WebSocket(`${webSocketUrl(url)}${WEBSOCKET_PATH}`, SUBPROTOCOL);
  socket.onopen = () => {
    const guest = { user: "reader", name: "Reader" };
    const hello = { type: "hello", version: 1, session: crypto.randomUUID(), guest };
    socket.send(JSON.stringify([hello, { type: "subscribe", channel, ...from }]));
    listener.connected();
  };
  return loop(socket, listener);
};

function loop(socket: WebSocket, { message }: Listener): () => unknown {
  socket.onmessage = (event) => {
    for (const frame of JSON.parse(event.data)) {
      if (frame.type === "message") message(frame);
    }
  };
  return () => socket.close();
}

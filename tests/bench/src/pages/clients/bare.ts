// What there is without any client: a WebSocket, JSON.parse, a loop.

import { type Open, webSocketUrl } from "./client.js";

/** One frame in a WebSocket message. */
export const openSingle: Open = ({ url, channel }, { connected, message }) => {
  const socket = new WebSocket(`${webSocketUrl(url)}/${channel}`);
  socket.onopen = connected;
  socket.onmessage = (event) => message(JSON.parse(event.data));
  return () => socket.close();
};

/** A list of frames in a WebSocket message. */
export const openBatched: Open = ({ url, channel }, { connected, message }) => {
  const socket = new WebSocket(`${webSocketUrl(url)}/${channel}`);
  socket.onopen = connected;
  socket.onmessage = (event) => {
    for (const frame of JSON.parse(event.data)) {
      if (frame.type === "message") message(frame);
    }
  };
  return () => socket.close();
};

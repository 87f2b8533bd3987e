// The real socket.io server. Only the flood bypasses it: its packets are encoded in advance and written below it,
// because the client is what is measured.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type ServerOptions } from "socket.io";
import { payloads, type Recording } from "../recording.js";
import { Flood } from "./flood.js";
import { LIVE, publishing } from "./live.js";

export const socketIo = (recording: Recording) => start(recording);

/** With connection state recovery, which is opt-in; everything else is the default. */
export const recoveringSocketIo = (recording: Recording) => start(recording, { connectionStateRecovery: {} });

async function start(recording: Recording, options: Partial<ServerOptions> = {}): Promise<number> {
  const all = payloads(recording);
  const first: unknown = JSON.parse(all[0] ?? "null");
  // 4: a message of Engine.IO; 2: an event of Socket.IO.
  const flood = new Flood(all.map((payload) => `42["message",${payload}]`));
  const http = createServer(publishing((message) => io.to(LIVE).emit("message", message)));
  const io = new Server(http, { cors: { origin: "*" }, ...options });
  io.on("connection", (socket) => {
    socket.on("subscribe", (channel: string, done: () => void) => {
      if (channel === LIVE) void socket.join(LIVE);
      done();
      if (channel === LIVE) return;
      if (channel === "first") socket.emit("message", first);
      else flood.send(channel, socket.request.socket);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return (http.address() as AddressInfo).port;
}

// The real socket.io server. Only the flood goes past it: its packets are encoded before and written below it, because
// what is measured is the client.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { payloads, type Recording } from "../recording.js";
import { Flood } from "./flood.js";

export async function socketIo(recording: Recording): Promise<number> {
  const all = payloads(recording);
  const first: unknown = JSON.parse(all[0] ?? "null");
  // 4: a message of Engine.IO; 2: an event of Socket.IO.
  const flood = new Flood(all.map((payload) => `42["message",${payload}]`));
  const http = createServer();
  const io = new Server(http, { cors: { origin: "*" } });
  io.on("connection", (socket) => {
    socket.on("subscribe", (channel: string, done: () => void) => {
      done();
      if (channel === "first") socket.emit("message", first);
      else flood.send(channel, socket.request.socket);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return (http.address() as AddressInfo).port;
}

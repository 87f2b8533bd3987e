// A chat server as in socket.io's documentation: members of a room get its messages, and the sender gets an
// acknowledgement. Nothing is stored.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";

export async function socketIoChat(_: unknown, port: number): Promise<number> {
  const http = createServer();
  const io = new Server(http, { cors: { origin: "*" } });
  io.on("connection", (socket) => {
    socket.on("join", async (room: string, done: () => void) => {
      await socket.join(room);
      done();
    });
    socket.on("say", (room: string, said: unknown, done: () => void) => {
      io.to(room).emit("message", said);
      done();
    });
  });
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve));
  return (http.address() as AddressInfo).port;
}

// A crowd as a process: `crowd.ts everwire|socket.io URL COUNT`. Its clients sit in rooms of ten, and each sends a
// message every five seconds. Prints `listening on COUNT` when all are connected; ends with its standard input.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { io } from "socket.io-client";
import { WebSocket } from "ws";
import { SUBPROTOCOL, WEBSOCKET_PATH } from "../../../../protocol/generated/protocol";

const ROOM = 10;
const EVERY_MS = 5_000;
const TEXT = "Has anybody seen the new schedule?";

type Join = (url: string, room: string, user: string) => Promise<() => void>;

const joins: Record<string, Join> = {
  async everwire(url, room, user) {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}${WEBSOCKET_PATH}`, SUBPROTOCOL);
    await once(socket, "open");
    const send = (...frames: object[]) => socket.send(JSON.stringify(frames));
    const subscribed = new Promise<void>((done) => {
      socket.on("message", (data) => {
        const text = data.toString();
        if (text.includes('"type":"subscribed"')) done();
        if (text.includes('"type":"ping"')) send({ type: "pong" });
      });
    });
    const guest = { user, name: user };
    send({ type: "hello", version: 1, session: randomUUID(), guest }, { type: "subscribe", channel: room });
    await subscribed;
    return () => send({ type: "send", id: randomUUID(), channel: room, data: TEXT });
  },
  async "socket.io"(url, room) {
    const socket = io(url, { forceNew: true, transports: ["websocket"] });
    await new Promise<void>((joined) => {
      socket.on("connect", () => socket.emit("join", room, joined));
    });
    return () => socket.emit("say", room, TEXT, () => {});
  },
};

const [kind = "", url = "", count = ""] = process.argv.slice(2);
const join = joins[kind];
if (join === undefined || !(Number(count) > 0))
  throw new Error("usage: crowd.ts everwire|socket.io URL COUNT");
for (let n = 0; n < Number(count); n++) {
  const send = await join(url, `crowd.${Math.floor(n / ROOM)}`, `crowd-${n}`);
  // Each at its own time within the five seconds.
  setTimeout(() => setInterval(send, EVERY_MS), Math.random() * EVERY_MS);
}
process.stdin.on("end", () => process.exit()).resume();
console.log(`listening on ${count}`);

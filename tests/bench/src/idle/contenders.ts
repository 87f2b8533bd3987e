// The servers of `bench idle`, and how a client connects to each and then says nothing more than it must.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { POLL_PATH, SUBPROTOCOL, WEBSOCKET_PATH } from "../../../../protocol/generated/protocol";
import { startEmptyEverwire } from "../run/everwire.js";
import { startServer } from "../run/processes.js";
import { openRaw } from "../run/raw-websocket.js";

export const NAMES = ["everwire, WebSocket", "everwire, held poll", "ws", "socket.io, WebSocket"] as const;
export type Name = (typeof NAMES)[number];

/** A server that has just been started. */
export interface Started {
  readonly pid: number;
  /** Connects a client; resolves when everything is set up. `onClose` is called if the server ends the connection. */
  connect(index: number, onClose: () => void): Promise<{ close(): void }>;
  stop(): Promise<void>;
}

export const contenders: Readonly<Record<Name, () => Promise<Started>>> = {
  async "everwire, WebSocket"() {
    const server = await startEmptyEverwire();
    const url = new URL(WEBSOCKET_PATH, server.url);
    return {
      ...server,
      connect: (index, onClose) =>
        opened((ready) =>
          openRaw(
            url,
            SUBPROTOCOL,
            (bytes) => {
              if (bytes.includes('"type":"subscribed"')) ready();
            },
            onClose,
          ).then((socket) => {
            socket.send(JSON.stringify([hello(index), subscribe(index)]));
            return socket;
          }),
        ),
    };
  },
  async "everwire, held poll"() {
    const server = await startEmptyEverwire();
    const url = new URL(POLL_PATH, server.url);
    return { ...server, connect: (index, onClose) => opened((ready) => poll(url, index, ready, onClose)) };
  },
  async ws() {
    const server = await startServer("broadcast");
    const url = new URL(`http://127.0.0.1:${server.port}/`);
    return { ...server, connect: (_, onClose) => openRaw(url, undefined, () => {}, onClose) };
  },
  async "socket.io, WebSocket"() {
    const server = await startServer("socket.io-chat");
    const url = new URL(`http://127.0.0.1:${server.port}/socket.io/?EIO=4&transport=websocket`);
    return {
      ...server,
      connect: (index, onClose) =>
        opened(async (ready) => {
          let send = (_: string) => {};
          const socket = await openRaw(
            url,
            undefined,
            (bytes) => {
              const text = bytes.toString();
              // Connected to the namespace; then the answer to the event with the id 1.
              if (text.includes("40{")) send(`421${JSON.stringify(["join", room(index)])}`);
              if (text.includes("431[]")) ready();
              // A ping, alone in its message.
              if (text.endsWith("\u00012")) send("3");
            },
            onClose,
          );
          send = (text) => socket.send(text);
          send("40");
          return socket;
        }),
    };
  },
};

/** Resolves with the connection once it has called `ready`. */
async function opened<T>(open: (ready: () => void) => Promise<T>): Promise<T> {
  let ready = () => {};
  const isReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const connection = await open(ready);
  await isReady;
  return connection;
}

/** Ten in each. */
const room = (index: number) => `idle.${Math.floor(index / 10)}`;
const subscribe = (index: number) => ({ type: "subscribe", channel: room(index) });
const hello = (index: number) => ({
  type: "hello",
  version: 1,
  session: randomUUID(),
  guest: { user: `idle-${index}`, name: `idle-${index}` },
});

type Frame = { type: string; connection?: string; seq?: number };

/** Polls again and again, as a client without WebSocket does. */
async function poll(url: URL, index: number, ready: () => void, onClose: () => void) {
  const socket = connect(Number(url.port), url.hostname);
  await once(socket, "connect");
  socket.setNoDelay(true);
  const [first, channel] = [hello(index), subscribe(index)];
  let [connection, ack]: [string | undefined, number] = [undefined, 0];
  const ask = () => {
    const body = JSON.stringify([
      first,
      { type: "poll", ack, hold_ms: 25_000, ...(connection && { connection }) },
      // A server that does not know the connection needs the positions, too; this one does.
      ...(connection ? [] : [channel]),
    ]);
    const head = [
      `POST ${url.pathname} HTTP/1.1`,
      `Host: ${url.host}`,
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  };
  let received = "";
  let closed = false;
  let subscribed = false;
  socket.on("data", (bytes) => {
    received += bytes.toString("latin1");
    const end = received.indexOf("\r\n\r\n");
    const length = Number(/^content-length: (\d+)$/im.exec(received.slice(0, end))?.[1]);
    if (end < 0 || received.length < end + 4 + length) return;
    const frames = JSON.parse(received.slice(end + 4, end + 4 + length)) as Frame[];
    received = "";
    for (const { type, connection: id, seq } of frames) {
      if (type === "polled") ack = seq ?? ack;
      if (type === "welcome") connection = id;
      if (type === "subscribed") subscribed = true;
      if (type === "error") {
        socket.destroy();
        return;
      }
    }
    ask();
    // Only what is held counts.
    if (subscribed) ready();
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    if (!closed) onClose();
  });
  ask();
  return {
    close() {
      closed = true;
      socket.destroy();
    },
  };
}

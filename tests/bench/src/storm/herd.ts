// Clients as a process: `herd.ts everwire|socket.io URL FIRST COUNT`, started with `fork`. They are real clients, the npm package and
// socket.io-client, in rooms of ten. Tells its parent when all have joined, and again when all are back after they were cut off.

import { connect } from "everwire";
import { io } from "socket.io-client";
import { WebSocket } from "ws";

/** What a herd tells its parent. */
export type Told = "joined" | Back;

/** All are back. */
export interface Back {
  /** When each was in its room again, in ms since 1970. */
  readonly at: number[];
  /** What went wrong besides that the connection was lost: errors that a client has reported. */
  readonly errors: string[];
}

const ROOM = 10;

/** So many connect at the same time at the beginning. */
const AT_ONCE = 50;

/** Calls `joined` whenever the client has joined its room. */
type Join = (
  url: string,
  room: string,
  user: string,
  joined: () => void,
  failed: (why: string) => void,
) => void;

const joins: Record<string, Join> = {
  everwire(url, room, user, joined, failed) {
    const client = connect({ url, guest: { user, name: user }, persist: false, idleAfter: false });
    client.on("error", ({ code }) => failed(code));
    const channel = client.channel(room);
    channel.on("subscribed", joined);
    channel.on("error", ({ code }) => failed(code));
    void channel.subscribe().catch(() => {});
  },
  "socket.io"(url, room, _, joined) {
    const socket = io(url, { forceNew: true, transports: ["websocket"] });
    socket.on("connect", () => socket.emit("join", room, joined));
  },
};

// Node has a WebSocket of its own from version 22 on. This one costs less in every version.
globalThis.WebSocket = class extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { perMessageDeflate: false });
    // Like a browser's, it may fail when nobody listens any more.
    this.on("error", () => {});
  }
} as unknown as typeof globalThis.WebSocket;

const [kind = "", url = "", first = "", count = ""] = process.argv.slice(2);
const join = joins[kind];
const [from, total] = [Number(first), Number(count)];
if (join === undefined || !(total > 0) || process.send === undefined)
  throw new Error("usage: fork herd.ts everwire|socket.io URL FIRST COUNT");

const tell = (told: Told) => process.send?.(told);
const back: Back = { at: [], errors: [] };
let hasJoined = 0;

await Promise.all(
  Array.from({ length: AT_ONCE }, async (_, lane) => {
    for (let n = lane; n < total; n += AT_ONCE) {
      await new Promise<void>((resolve) => {
        let before = false;
        const index = from + n;
        join(
          url,
          `storm.${Math.floor(index / ROOM)}`,
          `storm-${index}`,
          () => {
            if (before) back.at.push(Date.now());
            else hasJoined++;
            before = true;
            resolve();
            if (back.at.length === total) tell(back);
          },
          (why) => back.errors.push(why),
        );
      });
    }
  }),
);
if (hasJoined === total) tell("joined");
process.on("disconnect", () => process.exit());

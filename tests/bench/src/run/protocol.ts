// Everwire's protocol by hand, for Node: fills a channel and records what the server sends. Not a client: it does not
// reconnect.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { WebSocket } from "ws";
import { SUBPROTOCOL, WEBSOCKET_PATH } from "../../../../protocol/generated/protocol";
import type { MessageFrame, Recording } from "../recording.js";

type Frame = { type: string } & Record<string, unknown>;

/** How many sends of one publisher may be without an ack: below the 512 at which the server stops reading. */
const MAX_IN_FLIGHT = 384;

/** How many sends are in one batch: some 200 bytes each, and a batch from a client may have 64 KiB. */
const BATCH_SIZE = 128;

async function open(url: string, user: string, name: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}${WEBSOCKET_PATH}`, SUBPROTOCOL);
  await once(socket, "open");
  send(socket, [{ type: "hello", version: 1, session: randomUUID(), guest: { user, name } }]);
  return socket;
}

const send = (socket: WebSocket, frames: readonly Frame[]) => socket.send(JSON.stringify(frames));

/** Calls `onBatch` with each batch until it returns true, then closes. Rejects if the connection breaks before. */
function until(socket: WebSocket, onBatch: (frames: Frame[]) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on("close", (code) => reject(new Error(`the server closed the connection with ${code}`)));
    socket.on("error", reject);
    socket.on("message", (data) => {
      try {
        const frames = JSON.parse(data.toString()) as Frame[];
        const error = frames.find((frame) => frame.type === "error");
        if (error) throw new Error(`server error ${error.code}: ${error.message}`);
        if (!onBatch(frames)) return;
        resolve();
      } catch (error) {
        reject(error);
      }
      socket.close();
    });
  });
}

/** The chat texts: short sentences of different lengths. */
const SENTENCES = [
  "Good morning, everybody!",
  "Did the build go through?",
  "It did, and the tests are green. I will look at the other branch after lunch.",
  "ok",
  "Who can have a look at the tablet layout? The second column still jumps when the keyboard opens.",
  "I can, give me ten minutes",
  "Thanks – that was quick.",
];

/** Sends `count` messages as one of several publishers, and waits until the server has stored them all. */
async function publishAs(url: string, channel: string, count: number, user: number): Promise<void> {
  const socket = await open(url, `user-${user}`, `User ${user}`);
  let [sent, acked] = [0, 0];
  const more = () => {
    while (sent < count && sent - acked + BATCH_SIZE <= MAX_IN_FLIGHT) {
      const frames = Array.from({ length: Math.min(BATCH_SIZE, count - sent) }, (_, index) => ({
        type: "send",
        id: randomUUID(),
        channel,
        data: { text: SENTENCES[(sent + index) % SENTENCES.length] },
      }));
      sent += frames.length;
      send(socket, frames);
    }
  };
  await until(socket, (frames) => {
    acked += frames.filter((frame) => frame.type === "ack").length;
    more();
    return acked >= count;
  });
}

/** Sends `count` messages, one every `everyMs`, and waits until the server has stored them all. */
export async function publishSlowly(
  url: string,
  channel: string,
  count: number,
  everyMs: number,
): Promise<void> {
  const socket = await open(url, "publisher", "Publisher");
  const began = performance.now();
  let [sent, acked] = [0, 0];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const next = (): void => {
    send(socket, [{ type: "send", id: randomUUID(), channel, data: { text: SENTENCES[0] } }]);
    // By the clock, so that a late timer does not delay all later messages.
    if (++sent < count) timer = setTimeout(next, Math.max(0, began + sent * everyMs - performance.now()));
  };
  next();
  await until(socket, (frames) => {
    acked += frames.filter((frame) => frame.type === "ack").length;
    return acked >= count;
  }).finally(() => clearTimeout(timer));
}

/** Stores `count` messages in a channel, from several publishers at once. */
export async function publish(
  url: string,
  channel: string,
  count: number,
  publishers: number,
): Promise<void> {
  const share = (index: number) =>
    Math.floor((count * (index + 1)) / publishers) - Math.floor((count * index) / publishers);
  await Promise.all(
    Array.from({ length: publishers }, (_, index) => publishAs(url, channel, share(index), index + 1)),
  );
}

/** A channel's epoch, and its contents in the batches in which the server replays them to a client. */
export async function record(
  url: string,
  channel: string,
  count: number,
): Promise<{ epoch: string; recording: Recording }> {
  const reader = () => open(url, "recorder", "Recorder");
  let epoch = "";
  const asking = await reader();
  send(asking, [{ type: "subscribe", channel }]);
  await until(asking, (frames) => {
    epoch = (frames.find((frame) => frame.type === "subscribed")?.epoch as string | undefined) ?? "";
    return epoch !== "";
  });
  const recording: string[][] = [];
  const reading = await reader();
  send(reading, [{ type: "subscribe", channel, epoch, offset: 0 }]);
  let received = 0;
  await until(reading, (frames) => {
    const messages = (frames as unknown as MessageFrame[]).filter((frame) => frame.type === "message");
    if (messages.length > 0) recording.push(messages.map((message) => JSON.stringify(message)));
    received += messages.length;
    return received >= count;
  });
  return { epoch, recording };
}

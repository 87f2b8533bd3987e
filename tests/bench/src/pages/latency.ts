// The page of `bench latency`: one member of a conversation, who sends, or who shows messages and records when they
// were on the screen. Times are in ms since 1970 with fractions, so that two pages of one browser can be compared.

import { connect } from "everwire";
import { io } from "socket.io-client";

/** The payload. */
interface Payload {
  readonly number: number;
  readonly sentAt: number;
  readonly text: string;
}

/** When a message reached the listener, and when it was painted, in ms after it was sent. */
export interface Arrival {
  readonly number: number;
  readonly listener: number;
  readonly screen: number;
}

interface Member {
  say(payload: Payload): Promise<unknown>;
}

const now = () => performance.timeOrigin + performance.now();

const clients = {
  async everwire(url: string, user: string, onMessage: (payload: Payload) => void): Promise<Member> {
    const client = connect({ url, guest: { user, name: user }, persist: false });
    const channel = client.channel<{ message: Payload }>("latency");
    channel.on("message", ({ data }) => onMessage(data));
    await channel.subscribe();
    return { say: (payload) => channel.send(payload) };
  },
  async socketIo(url: string, _user: string, onMessage: (payload: Payload) => void): Promise<Member> {
    const socket = io(url, { forceNew: true, transports: ["websocket"] });
    socket.on("message", onMessage);
    await new Promise<void>((joined) => {
      socket.on("connect", () => socket.emit("join", "latency", joined));
    });
    return { say: (payload) => socket.emitWithAck("say", "latency", payload) };
  },
};

export type LatencyClient = keyof typeof clients;

let member: Member | undefined;
let arrivals: Arrival[] = [];

function show(payload: Payload): void {
  const listener = now() - payload.sentAt;
  const line = document.createElement("p");
  line.textContent = payload.text;
  document.body.append(line);
  while (document.body.childElementCount > 30) document.body.firstElementChild?.remove();
  // A task that follows the frame's callbacks runs after layout and paint.
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () =>
      arrivals.push({ number: payload.number, listener, screen: now() - payload.sentAt });
    port2.postMessage(0);
  });
}

const page = {
  /** Joins; resolves when messages can arrive. */
  async join(client: LatencyClient, url: string, user: string): Promise<string> {
    member = await clients[client](url, user, show);
    return document.visibilityState;
  },
  /** Sends messages with pauses between `least` and `most` ms, and waits until the last is acked. */
  async talk(count: number, least: number, most: number): Promise<void> {
    let last: Promise<unknown> | undefined;
    for (let number = 1; number <= count; number++) {
      await new Promise((go) => setTimeout(go, least + Math.random() * (most - least)));
      last = member?.say({ number, sentAt: now(), text: `Did the build go through? (${number})` });
    }
    await last;
  },
  /** The arrived messages, once there are this many. */
  async heard(count: number): Promise<Arrival[]> {
    while (arrivals.length < count) await new Promise((go) => setTimeout(go, 20));
    const heard = arrivals;
    arrivals = [];
    return heard;
  },
};

export type LatencyPage = typeof page;
Object.assign(globalThis, { page });

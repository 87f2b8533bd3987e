// Types, checked by tsc (`npm run check`), not run: what an application may and may not write.

import { createChat, MessageList } from "../src/chat/index.js";
import {
  type Channel,
  type Client,
  connect,
  type EverwireError,
  type Message,
  type NotificationData,
  type Sending,
  type StandardEvents,
} from "../src/index.js";
import { useChannel, type useChat, useMessages } from "../src/react/index.js";
import { connect as connectSlim } from "../src/slim.js";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Equal<A, B>): void {}

interface Orders {
  message: { text: string };
  "order.shipped": { id: number };
  "order.lost": { id: number; why: string };
}

declare const client: Client;
const orders = client.channel<Orders>("orders");

orders.on("message", (m) => same<typeof m.data, { text: string }>(true));
orders.on("event:order.shipped", (m) => {
  same<typeof m.data, { id: number }>(true);
  same<typeof m.event, "order.shipped">(true);
});
orders.on("event", (m) => {
  if (m.event === "order.lost") same<typeof m.data, { id: number; why: string }>(true);
});
orders.on("error", (error) => same<typeof error, EverwireError>(true));
orders.on("gap", ({ from, to, reason }) =>
  same<[typeof from, typeof to, typeof reason], [number, number, string]>(true),
);
// @ts-expect-error: no such event
orders.on("event:order.eaten", () => {});
// @ts-expect-error: no such event
orders.on("messages", () => {});

void orders.send({ text: "hello" }).then((stored) => same<typeof stored.offset, number>(true));
same<ReturnType<typeof orders.send>["id"], string>(true);
void orders.send({ id: 1 }, { event: "order.shipped" });
// @ts-expect-error: not the type of a plain message
void orders.send({ id: 1 });
// @ts-expect-error: not the type of this event
void orders.send({ text: "hello" }, { event: "order.shipped" });
// @ts-expect-error: no such event
void orders.send({ id: 1 }, { event: "order.eaten" });

// Without types, everything may be sent, and what comes has to be looked at.
const any = client.channel("news");
same<typeof any, Channel>(true);
void any.send({ whatever: 1 });
void any.send(1, { event: "x" });
any.on("message", (m: Message) => same<typeof m.data, unknown>(true));
any.on("event:x", (m) => same<typeof m.data, unknown>(true));
any.on("event", (m) => same<typeof m.event, string>(true));
// But what every application understands has its type.
any.on("event:notification", (m) => same<typeof m.data.title, string>(true));
any.on("signal:data_update", (m) => same<typeof m.data.entity, string>(true));
// @ts-expect-error: a notification has a message too
void any.send({ title: "x" }, { event: "notification" });

// The standard events are typed everywhere.
any.on("event:notification", (m) => same<typeof m.data, NotificationData>(true));
void any.send({ title: "a", message: "b" }, { event: "notification" });
// @ts-expect-error: a notification has a message
void any.send({ title: "a" }, { event: "notification" });
const everyone = client.channel<StandardEvents>("everyone");
everyone.on("event:status_update", (m) => same<typeof m.data.system, string>(true));

// Edits are of the type of a message, signals of that of their event.
void orders.edit("id", { text: "better" });
// @ts-expect-error: not the type of a plain message
void orders.edit("id", { id: 1 });
same<ReturnType<typeof orders.delete>, Sending>(true);
same<ReturnType<Sending["cancel"]>, boolean>(true);
orders.signal("order.lost", { id: 1, why: "rain" });
// @ts-expect-error: not the type of this event
orders.signal("order.lost", { id: 1 });
orders.on("signal:order.shipped", (signal) => same<typeof signal.data, { id: number }>(true));

// Requests have the fields and the answers of their types.
void client
  .request("history", { channel: "news", before: 7 })
  .then((page) => same<typeof page.more, boolean>(true));
void client.request("leave_chat", { chat: "c" }, { timeout: 100 });
void client.getStatus(["ann"]).then(([first]) => first?.status === "away" && first.lastSeen);
// @ts-expect-error: the field chat is missing
void client.request("leave_chat", {});
// @ts-expect-error: no such request
void client.request("make_coffee", {});
// @ts-expect-error: no such status
void client.setStatus("asleep");

// Chats: texts, data with a text, and what the server says.
const room = createChat(client).room("c");
void room.send("hi", { replyTo: "m" });
void room.send({ text: "hi", picture: "p" });
// @ts-expect-error: no text
void room.send({ picture: "p" });
room.channel.on("event:everwire.chat", (m) =>
  same<typeof m.data.action extends string ? true : false, true>(true),
);
createChat(client).notifications.on("notification", (item) => same<typeof item.data, NotificationData>(true));
void createChat(client)
  .chats.create({ users: ["ann"] })
  .then((chat) => same<typeof chat.memberCount, number>(true));

// Only events, no plain messages typed.
const beats = client.channel<{ beat: number }>("beats");
void beats.send(1, { event: "beat" });

client.on("state", (state) => {
  if (state.status === "waiting") same<typeof state.retryAt, number>(true);
  if (state.status === "connected") same<typeof state.transport, "websocket" | "polling">(true);
  // @ts-expect-error: only while waiting
  state.retryAt;
});

connect({ url: "x", token: async () => "t", transports: ["polling"], debug: (line) => line.length });
// @ts-expect-error: the url is required
connect({});
// @ts-expect-error: the slim entry needs the WebAssembly
connectSlim({ url: "x" });
connectSlim({ url: "x", wasm: fetch("/everwire.wasm") });
connectSlim({ url: "x", wasm: new URL("https://x/everwire.wasm") });

const list = new MessageList(orders, { limit: 10 });
same<(typeof list.rows)[number]["data"], { text: string }>(true);

export function Component(): void {
  useChannel<Orders>("orders", {
    onMessage: (m) => same<typeof m.data, { text: string }>(true),
    onEvent: (m) => same<typeof m.event, "order.shipped" | "order.lost">(true),
  });
  same<typeof useChat, (id: string) => typeof room>(true);
  const rows = useMessages(orders);
  same<(typeof rows)[number]["data"], { text: string }>(true);
}

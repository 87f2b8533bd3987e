// The HTTP APIs: one with a key for back ends, one with the user's token for front ends. Each call is made by a client
// that is generated from the server's OpenAPI document, while pages observe the effect.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { WEBSOCKET_PATH } from "../../protocol/generated/protocol";
import { Api } from "../harness/api";
import { ProtocolClient } from "../harness/protocol-client";
import { Scene } from "../harness/scene";
import { makeToken, SECRET } from "../harness/tokens";

const KEY = "the key of these tests";
const NOTIFICATIONS = join(import.meta.dirname, "notifications.test.ts");
const OPTIONS = { secret: SECRET, env: { EVERWIRE_API_KEY: KEY } };

it("a back end manages chats and their members, and members see it at once", async () => {
  const scene = await Scene.open("over WebSocket", OPTIONS);
  const api = await Api.with(scene.server.url, KEY);
  const ada = await scene.enter("ada", { token: makeToken("ada") });
  const ben = await scene.enter("ben", { token: makeToken("ben") });
  for (const person of [ada, ben]) await person.run((client) => createChat(client).chats.ready);
  const { id } = await api.call("createChat", {
    body: { kind: "group", title: "Orders", open: false, users: [{ user: "ada", role: "owner" }] },
  });
  await ada.waitFor("the chat", (client, id) => createChat(client).chats.get(id)?.role === "owner", id);
  await api.call("addMember", { parameters: { chat: id, user: "ben" }, body: { role: "read_only" } });
  await ben.waitFor("the chat", (client, id) => createChat(client).chats.get(id)?.role === "read_only", id);
  expect(await ben.errorCode((client, id) => createChat(client).room(id).send("x"), id)).toBe("forbidden");
  await api.call("setRole", { parameters: { chat: id, user: "ben" }, body: { role: "member" } });
  await ben.waitFor("his role", (client, id) => createChat(client).chats.get(id)?.role === "member", id);
  expect(await ben.errorCode((client, id) => createChat(client).room(id).send("x"), id)).toBe("");
  await api.call("renameChat", { parameters: { chat: id }, body: { title: "Shipped" } });
  await ada.waitFor("the title", (client, id) => createChat(client).chats.get(id)?.title === "Shipped", id);
  const chat = await api.call("getChat", { parameters: { chat: id } });
  expect(chat.members.map(({ user, role }: { user: string; role: string }) => `${user} ${role}`)).toEqual([
    "ada owner",
    "ben member",
  ]);
  expect(chat.member_count).toBe(2);
  const after = await api.call("listMembers", { parameters: { chat: id, after: "ada" } });
  expect(after.members.map(({ user }: { user: string }) => user)).toEqual(["ben"]);
  await api.call("removeMember", { parameters: { chat: id, user: "ben" } });
  await ben.waitFor("no chat", (client, id) => createChat(client).chats.get(id) === undefined, id);
  expect(await ben.errorCode((client, id) => createChat(client).room(id).send("x"), id)).toBe("forbidden");
});

it("a back end reads presence and statistics, sets a status and disconnects a user", async () => {
  const scene = await Scene.open("over WebSocket", OPTIONS);
  const api = await Api.with(scene.server.url, KEY);
  const ada = await scene.enter("ada", { token: makeToken("ada", { grants: ["presence-hall"] }) });
  const ben = await scene.enter("ben", { token: makeToken("ben", { grants: ["presence-hall"] }) });
  for (const person of [ada, ben]) await person.run((client) => client.channel("presence-hall").subscribe());
  await ada.run((client) => client.channel("presence-users").subscribe());
  const { members } = await api.call("getPresence", { parameters: { channel: "presence-hall" } });
  expect(members.map(({ user }: { user: string }) => user)).toEqual(["ada", "ben"]);
  await api.call("setStatus", { parameters: { user: "ben" }, body: { status: "away" } });
  await ada.waitFor("Ben away", (client) =>
    client.channel("presence-users").members.some(({ user, status }) => user === "ben" && status === "away"),
  );
  expect((await api.call("getStatus", { parameters: { user: "ben" } })).status).toBe("away");
  const stats = await api.call("stats");
  expect(stats).toMatchObject({ users: 2, sessions: 2, connections: { websocket: 2, polling: 0 } });
  expect(await api.call("statsAlone")).toMatchObject({ users: 2, version: stats.version });
  await api.call("cleanup");
  const before = await ben.connection();
  expect(await api.call("disconnectUser", { parameters: { user: "ben" } })).toEqual({ connections: 1 });
  await ben.waitForConnection("", before);
  expect(await ada.run((client) => client.connection)).not.toBe(undefined);
});

it("a front end has what it needs over HTTP, with the user's token", async () => {
  const scene = await Scene.open("over WebSocket", OPTIONS);
  const ada = await scene.enter("ada", { token: makeToken("ada") });
  const ben = await scene.enter("ben", { token: makeToken("ben") });
  const chat = await ada.run(async (client) => (await createChat(client).chats.direct("ben")).id);
  for (const person of [ada, ben]) await person.run((client, id) => createChat(client).room(id).open(), chat);
  const api = await Api.with(scene.server.url, makeToken("ben"));
  const info = await api.call("connectionInfo");
  expect([info.user, info.websocket_url]).toEqual([
    "ben",
    `${scene.server.url.replace("http", "ws")}${WEBSOCKET_PATH}`,
  ]);
  const sent = await ada.run(async (client, id) => await createChat(client).room(id).send("hello"), chat);
  await ben.waitFor(
    "it",
    (client, id) => createChat(client).room(id).messages.rows.at(-1)?.data.text === "hello",
    chat,
  );
  const { chats } = await api.call("activeChats");
  expect(chats).toMatchObject([{ id: chat, unread: 1, last: { data: { text: "hello" } } }]);
  await api.call("typing", { parameters: { chat }, body: { is_typing: true } });
  await ada.waitFor(
    "Ben typing",
    (client, id) => createChat(client).room(id).typists[0]?.user === "ben",
    chat,
  );
  await api.call("typing", { parameters: { chat }, body: { is_typing: false } });
  await ada.waitFor("nobody typing", (client, id) => createChat(client).room(id).typists.length === 0, chat);
  await api.call("markRead", { parameters: { chat, message: sent.id } });
  await ada.waitFor(
    "that it is read",
    (client, id) => createChat(client).room(id).messages.rows.at(-1)?.readBy === 1,
    chat,
  );
  expect((await api.call("messages", { parameters: { chat, limit: 1 } })).messages).toMatchObject([
    { id: sent.id },
  ]);
  await ada.run((client) => client.channel("presence-users").subscribe());
  await api.call("onlineStatus", { body: { is_online: false } });
  await ada.waitFor("nobody else", (client) =>
    client
      .channel("presence-users")
      .members.every(({ user, status }) => user !== "ben" || status === "offline"),
  );
  await api.call("onlineStatus", { body: { is_online: true } });
  await ada.waitFor("Ben", (client) =>
    client
      .channel("presence-users")
      .members.some(({ user, status }) => user === "ben" && status === "online"),
  );
  const may = (channel_name: string) => api.ask("authorise", { body: { channel_name } });
  expect((await may(`private-chat.${chat}`)).body).toMatchObject({ may_send: true, member: { user: "ben" } });
  expect((await may("private-user.ada")).body.code).toBe("forbidden");
});

it("a wrong key, an invalid body and unknown resources are refused with the error codes of frames", async () => {
  const scene = await Scene.open("over WebSocket", OPTIONS);
  const [none, wrong, user, api] = await Promise.all([
    Api.of(scene.server.url),
    Api.with(scene.server.url, "another key than that of the server"),
    Api.with(scene.server.url, makeToken("ada")),
    Api.with(scene.server.url, KEY),
  ]);
  const body = { to: "everyone", event: "notification", data: { title: "T", message: "M" } };
  for (const caller of [none, wrong, user])
    expect(await caller.refused("publish", { body })).toBe("unauthorized");
  expect(await wrong.refused("activeChats")).toBe("unauthorized");
  expect(await api.refused("publish", { body: { ...body, data: { title: 7 } } })).toBe("invalid_payload");
  expect(await api.refused("publish", { body: { ...body, to: { channel: "two words" } } })).toMatch(
    /^invalid_/,
  );
  expect(await api.refused("publish", { body: { data: 1 } })).toMatch(/^invalid_/);
  expect(await api.refused("getChat", { parameters: { chat: "nowhere" } })).toBe("not_found");
  expect(await api.refused("getPresence", { parameters: { channel: "news" } })).toBe("invalid_channel");
});

it("a back end bans a user and lifts the ban, and revokes tokens", async () => {
  const scene = await Scene.open("over WebSocket", OPTIONS);
  const api = await Api.with(scene.server.url, KEY);
  const eve = await scene.enter("eve", { token: makeToken("eve") });
  const user = { parameters: { user: "eve" } };
  await api.call("banUser", { ...user, body: { reason: "spam" } });
  await eve.waitFor("the end", ({ state }) => state.status === "closed" && state.error?.code === "banned");
  expect(await api.call("getBan", user)).toMatchObject({ user: "eve", banned: true, reason: "spam" });
  expect((await api.call("listBans", { parameters: { limit: 20 } })).bans).toHaveLength(1);
  expect(await api.call("unbanUser", user)).toMatchObject({ user: "eve", banned: false });
  await scene.enter("eve", { token: makeToken("eve") });
  expect(await api.call("revokeToken", { parameters: { token: "one" }, body: {} })).toHaveProperty("until");
  const connection = await ProtocolClient.open(scene.server.url);
  connection.send({ type: "hello", version: 1, session: connection.session, token: makeToken("eve") });
  await connection.waitForFrame("welcome");
  await api.call("revokeUser", { ...user, body: {} });
  expect(await connection.waitForClose()).toBe(4001);
});

it("a back end deletes a message, and its text is gone from every page and from history", async () => {
  const scene = await Scene.open("over WebSocket", OPTIONS);
  const api = await Api.with(scene.server.url, KEY);
  const ada = await scene.enter("ada", { token: makeToken("ada") });
  const chat = await ada.run(async (client) => {
    const { id } = await createChat(client).chats.direct("ben");
    createChat(client).room(id).open();
    return id;
  });
  const sent = await ada.run(async (client, id) => await createChat(client).room(id).send("a secret"), chat);
  const message = { channel: `private-chat.${chat}`, message: sent.id };
  expect(await api.call("deleteMessage", { parameters: message })).toHaveProperty("offset");
  await ada.waitFor(
    "the deletion",
    (client, id) =>
      createChat(client)
        .room(id)
        .messages.rows.some(({ deleted }) => deleted),
    chat,
  );
  const user = await Api.with(scene.server.url, makeToken("ben"));
  const { messages } = await user.call("messages", { parameters: { chat, limit: 10 } });
  expect(messages.find(({ id }: { id: string }) => id === sent.id)).toMatchObject({
    data: null,
    deleted: { user: "" },
  });
  expect(JSON.stringify(messages)).not.toContain("a secret");
  expect(await api.refused("deleteMessage", { parameters: { ...message, message: "99" } })).toBe("not_found");
});

it("a back end deletes a chat, and erases a user whose page ends", async () => {
  const scene = await Scene.open("over WebSocket", OPTIONS);
  const api = await Api.with(scene.server.url, KEY);
  const ada = await scene.enter("ada", { token: makeToken("ada") });
  await ada.run((client) => createChat(client).chats.ready);
  const { id } = await api.call("createChat", {
    body: { kind: "group", title: "Orders", open: false, users: [{ user: "ada", role: "owner" }] },
  });
  await ada.waitFor("the chat", (client, id) => createChat(client).chats.get(id) !== undefined, id);
  expect(await api.call("deleteChat", { parameters: { chat: id } })).toEqual({ id });
  await ada.waitFor("its end", (client, id) => createChat(client).chats.get(id) === undefined, id);
  expect(await api.refused("getChat", { parameters: { chat: id } })).toBe("not_found");

  const user = { parameters: { user: "ada" } };
  expect(await api.call("eraseUser", user)).toEqual({ user: "ada", erasing: true });
  await ada.waitFor("the end", ({ state }) => state.status === "closed");
  await expect
    .poll(() => api.call("getErasure", user), { timeout: 30_000 })
    .toEqual({ user: "ada", erasing: false });
});

it("every operation of the OpenAPI document is called by these tests", async () => {
  const scene = await Scene.open("over WebSocket", OPTIONS);
  const api = await Api.of(scene.server.url);
  const called = readFileSync(import.meta.filename, "utf8") + readFileSync(NOTIFICATIONS, "utf8");
  const missing = api.operations.filter((name) => !new RegExp(`"${name}"`).test(called));
  expect(missing).toEqual([]);
  expect(api.operations.length).toBeGreaterThanOrEqual(20);
});

// Any user id works, byte by byte: in tokens, channel names, chats, presence, notifications and the HTTP API.

import { expect, it } from "vitest";
import { Api } from "../harness/api";
import { Scene } from "../harness/scene";
import { makeToken, SECRET } from "../harness/tokens";

const KEY = "the key of these tests";
const OPTIONS = { secret: SECRET, env: { EVERWIRE_API_KEY: KEY } };
const IDS = ["auth0|5f7c", "ann+x@y.z", "Zoë", "=Wm_Dqw", "a/b?c#d%41", "two words", "é".repeat(64)];

it.each(["over WebSocket", "by polling"] as const)("any user id works %s", async (transport) => {
  const scene = await Scene.open(transport, OPTIONS);
  const api = await Api.with(scene.server.url, KEY);
  const ben = await scene.enter("ben", { token: makeToken("ben") });
  await ben.run((client) => createChat(client).chats.ready);
  for (const [index, user] of IDS.entries()) {
    const page = await scene.enter(`user${index}`, { token: makeToken(user) });
    expect(await page.run((client) => client.user)).toBe(user);
    await page.run((client) => createChat(client).chats.ready);
    await page.run((client) => {
      createChat(client).notifications.on("notification", ({ data }) => record("came", data.title));
    });
    await page.waitFor(
      "the own channel",
      (client, name) => client.channel(name).subscription === "subscribed",
      await page.run((client) => userChannel(client.user as string)),
    );
    const data = { title: `for ${index}`, message: "." };
    await api.call("publish", { body: { to: { user }, event: "notification", data } });
    await page.waitFor("the notification", (client) => createChat(client).notifications.unread === 1);
    const chat = await ben.run(
      (client, user) =>
        createChat(client)
          .chats.direct(user)
          .then((chat) => chat.id),
      user,
    );
    await ben.run(
      (client, chat) =>
        createChat(client)
          .room(chat)
          .send("hello")
          .then(() => {}),
      chat,
    );
    await page.waitFor("the chat", (client, chat) => createChat(client).chats.get(chat)?.unread === 1, chat);
    await page.run(
      (client, chat) =>
        createChat(client)
          .room(chat)
          .send("hi")
          .then(() => {}),
      chat,
    );
    await ben.waitFor(
      "the answer of this user",
      (client, [chat, user]) => createChat(client).chats.get(chat as string)?.last?.user === user,
      [chat, user],
    );
    // In a path, an id that begins with = has the form that it has in channel names.
    const inPath = user.startsWith("=") ? `=${Buffer.from(user).toString("base64url")}` : user;
    expect(await api.call("getStatus", { parameters: { user: inPath } })).toMatchObject({
      user,
      status: "online",
    });
    await scene.leave(page);
  }
});

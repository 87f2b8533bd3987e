// Grants: public, private and presence channels; a user's own channel, membership for chats, any authenticated user for
// presence-users; grants in the token for the rest. A refusal is typed, and does not affect other subscriptions.

import { expect, it } from "vitest";
import { ProtocolClient } from "../harness/protocol-client";
import { everyTransport, type Person, Scene } from "../harness/scene";
import { makeToken, SECRET } from "../harness/tokens";

const signedIn = (scene: Scene, user: string, ...grants: string[]) =>
  scene.enter(user, { token: makeToken(user, { grants }) });

/** The error code of a subscription, or "". */
const subscribe = (person: Person, channel: string) =>
  person.errorCode((client, channel) => client.channel(channel).subscribe(), channel);

const send = (person: Person, channel: string) =>
  person.errorCode((client, channel) => client.channel(channel).send("x"), channel);

everyTransport(
  "a refused subscription has a typed error, and others are not affected",
  async (scene) => {
    const ada = await signedIn(scene, "ada", "news", "private-board", "presence-board");
    const ben = await signedIn(scene, "ben");
    for (const channel of ["news", "private-board", "presence-board", "presence-users", "private-user.ada"])
      expect([channel, await subscribe(ada, channel)]).toEqual([channel, ""]);
    for (const channel of ["private-board", "presence-board", "private-user.ada", "private-chat.nowhere"])
      expect([channel, await subscribe(ben, channel)]).toEqual([channel, "forbidden"]);
    await scene.middle();
    for (const channel of ["news", "presence-users", "private-user.ben", "everyone"])
      expect([channel, await subscribe(ben, channel)]).toEqual([channel, ""]);
    for (const channel of ["news", "private-board", "private-user.ada", "presence-users", "everyone"])
      expect([channel, await send(ben, channel)]).toEqual([channel, "forbidden"]);
    expect([await send(ada, "news"), await send(ada, "private-board")]).toEqual(["", ""]);
    await ada.waitFor("Ben online", (client) =>
      client.channel("presence-users").members.some(({ user }) => user === "ben"),
    );
    expect(await ben.errorCode((client) => client.channel("private-board").history())).toBe("forbidden");
  },
  { secret: SECRET },
);

it("a token that is not accepted ends the client, or the socket with its close code", async () => {
  const scene = await Scene.open("over WebSocket", { secret: SECRET });
  const ada = await signedIn(scene, "ada");
  const forged = makeToken("ada", { secret: "another secret, which is not ours" });
  await ada.run(
    (_, [url, token]) => {
      const { href } = new URL(url);
      const other = window.people.open({ url: href, token });
      other.on("state", (state) => state.status === "closed" && record("closed", state.error?.code));
    },
    [scene.proxy.url, forged] as const,
  );
  await ada.waitFor("the refusal", () => window.people.records("closed").length > 0);
  expect((await ada.records("closed"))[0]?.value).toBe("unauthorized");
  const client = await ProtocolClient.open(scene.server.url);
  client.send({ type: "hello", version: 1, session: client.session, token: forged });
  expect(await client.waitForClose()).toBe(4001);
  expect(await ada.run((client) => client.state.status)).toBe("connected");
});

it("a grant with a pattern opens an application's own chats", async () => {
  const scene = await Scene.open("over WebSocket", { secret: SECRET });
  const ada = await signedIn(scene, "ada", "private-chat.shop-*");
  const ben = await signedIn(scene, "ben", "private-chat.shop-7");
  for (const person of [ada, ben]) expect(await subscribe(person, "private-chat.shop-7")).toBe("");
  expect(await subscribe(ada, "private-chat.shop-8")).toBe("");
  expect(await subscribe(ben, "private-chat.shop-8")).toBe("forbidden");
  expect(await send(ben, "private-chat.shop-7")).toBe("");
  await ada.waitFor("it", (client) => client.channel("private-chat.shop-7").position?.offset === 1);
});

// Tokens (promise 13): a bad one is terminal and visible; a callback is called in good time, and once at a time.

import { expect, it } from "vitest";
import { BarePage } from "../harness/bare";
import { FaultProxy } from "../harness/proxy";
import { PAGES, Server } from "../harness/server";
import { makeToken, SECRET } from "../harness/tokens";
import { until } from "../harness/until";

const start = () => Server.start({ serveDir: PAGES, secret: SECRET });

for (const transports of [["websocket"], ["polling"]] as const) {
  it(`by ${transports[0]}, a bad token is terminal and visible`, async () => {
    const { url } = await start();
    const bare = await BarePage.open(url);
    for (const [name, token] of [
      ["rubbish", "rubbish"],
      ["forged", makeToken("forged", { secret: "another secret altogether" })],
    ] as const) {
      const client = await bare.connect(name, { token, transports });
      const closed = await client.waitForState("closed");
      expect(closed.code).toBe("unauthorized");
      expect(closed.reason).not.toBe("");
      expect(await client.send("news", 1)).toMatchObject({ error: { everwire: true } });
    }
    // Guests are for development only.
    const guest = await bare.connect("guest", { transports });
    expect((await guest.waitForState("closed")).code).toBe("unauthorized");
  });

  it(`by ${transports[0]}, an expired token is reported, and the next one connects`, async () => {
    const { url } = await start();
    const bare = await BarePage.open(url);
    const expired = makeToken("ada", { validForS: -60 });
    const late = await bare.connect("late", { token: expired, transports });
    const { reason } = await late.waitForState("waiting");
    expect(reason).not.toBe("");
    expect(await late.errors()).toContain("token_expired");
    const tokens = [expired, expired];
    const ada = await bare.connectWith("ada", () => tokens.pop() ?? makeToken("ada"), { transports });
    await ada.waitForConnection(transports[0]);
    expect(await ada.errors()).toContain("token_expired");
    expect((await late.states()).map(({ status }) => status)).not.toContain("closed");
  });

  it(`by ${transports[0]}, a good token grants what it says and nothing else`, async () => {
    const { url } = await start();
    const bare = await BarePage.open(url);
    const token = makeToken("ada", { grants: ["private-chat.1"] });
    const ada = await bare.connect("ada", { token, transports });
    await ada.waitForConnection(transports[0]);
    expect(await ada.subscribe("private-chat.1")).toHaveProperty("ok");
    expect(await ada.subscribe("private-chat.2")).toMatchObject({ error: { code: "forbidden" } });
    expect(await ada.send("private-chat.1", "hello")).toMatchObject({ ok: { offset: 1 } });
    expect(await ada.send("private-chat.2", "hello")).toMatchObject({ error: { code: "forbidden" } });
    expect(await ada.waitForEntries("private-chat.1", 1)).toHaveLength(1);
  });
}

it("a token is never part of a URL", async () => {
  const { url } = await start();
  const bare = await BarePage.open(url);
  const addresses: string[] = [];
  bare.page.on("request", (request) => addresses.push(request.url()));
  bare.page.on("websocket", (socket) => addresses.push(socket.url()));
  const token = makeToken("ada");
  await (await bare.connect("ada", { token })).waitForConnection("websocket");
  await (await bare.connect("ben", { token, transports: ["polling"] })).waitForConnection("polling");
  expect(addresses.length).toBeGreaterThan(1);
  expect(addresses.filter((address) => address.includes(token.slice(0, 12)))).toEqual([]);
});

it("short-lived tokens are replaced before they expire, and the connection stays open", async () => {
  const { url } = await start();
  const bare = await BarePage.open(url);
  let [asked, atOnce, most] = [0, 0, 0];
  const ada = await bare.connectWith("ada", async () => {
    asked++;
    most = Math.max(most, ++atOnce);
    const token = makeToken("ada", { validForS: 4, grants: ["private-chat.1"] });
    atOnce--;
    return token;
  });
  await ada.waitForConnection("websocket");
  expect(await ada.subscribe("private-chat.1")).toHaveProperty("ok");
  // By then the first token has expired long ago, and the server's grace period is over.
  const started = Date.now();
  await until("four lifetimes are over", () => Date.now() - started > 16_000);
  expect(await ada.send("private-chat.1", "still me")).toMatchObject({ ok: { offset: 1 } });
  expect(asked).toBeGreaterThanOrEqual(2);
  expect(asked).toBeLessThan(20);
  expect(most).toBe(1);
  const states = await ada.states();
  expect(states.filter(({ code }) => code)).toEqual([]);
});

it("a failing token callback is called again, and nothing is lost", async () => {
  const { url } = await start();
  const bare = await BarePage.open(url);
  let asked = 0;
  const ada = await bare.connectWith("ada", () => {
    if (++asked <= 2) throw new Error("the backend is down");
    return makeToken("ada", { grants: ["news"] });
  });
  const sending = ada.send("news", "patience");
  await ada.waitForConnection();
  expect(await sending).toMatchObject({ ok: { offset: 1 } });
  expect(await ada.errors()).toContain("token_failed");
  expect(asked).toBe(3);
});

it("a reconnect requests no new token while the old one is valid", async () => {
  const server = await start();
  const proxy = await FaultProxy.start(server.port);
  const bare = await BarePage.open(proxy.url);
  let asked = 0;
  const ada = await bare.connectWith("ada", () => {
    asked++;
    return makeToken("ada");
  });
  await ada.waitForConnection();
  for (let round = 0; round < 2; round++) {
    const since = Date.now();
    proxy.reset();
    await ada.waitForConnection("", since);
  }
  expect(asked).toBe(1);
});

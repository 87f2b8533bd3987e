// The package in a page with nothing else: connecting, subscribing, sending, closing, and its errors.

import { expect, it } from "vitest";
import { BarePage, expectContiguous, numbersOf } from "../harness/bare";
import { problemsOf } from "../harness/browser";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";

const start = (args: string[] = []) => Server.start({ serveDir: PAGES, args });

it("connects, subscribes, sends and receives, without warnings under a strict policy", async () => {
  const { url } = await start();
  const bare = await BarePage.open(url);
  const ada = await bare.connect("ada");
  const subscribed = await ada.subscribe("news");
  expect(subscribed).toMatchObject({ ok: { offset: 0, head: 0, recovered: true } });
  const sent = await ada.send("news", { text: "first", list: [1, null, "ü🦊"] });
  expect(sent).toMatchObject({ ok: { offset: 1 } });
  const [received] = await ada.waitForEntries("news", 1);
  expect(received).toMatchObject({ offset: 1, user: "ada", data: { text: "first", list: [1, null, "ü🦊"] } });
  expect("ok" in sent && sent.ok.id).toBe(received?.id);
  expect((await ada.states()).map(({ status }) => status)).toEqual(["connecting", "connecting", "connected"]);
  expect(problemsOf(bare.page)).toEqual([]);
});

it("messages sent before the connection is established are stored in order", async () => {
  const { url } = await start();
  const bare = await BarePage.open(url);
  const ben = await bare.connect("ben");
  await ben.subscribe("news");
  // Synchronously: neither the WebAssembly nor the connection can be ready yet.
  await bare.page.evaluate((url) => {
    window.bare.open("ada", { url, guest: { user: "ada", name: "ada" } });
    window.bare.sendMany("ada", "news", 0, 100);
  }, url);
  const received = await ben.waitForEntries("news", 100);
  expectContiguous(received);
  expect(numbersOf(received, "ada")).toEqual([...Array(100).keys()]);
});

it("a listener that throws is reported and skipped; the others and the connection are not affected", async () => {
  const { url } = await start();
  const bare = await BarePage.open(url);
  const ada = await bare.connect("ada");
  await bare.page.evaluate(() => {
    const { client } = window.bare.clients.get("ada") ?? {};
    client?.channel("news").on("message", () => {
      throw new Error("mine");
    });
    client?.on("state", () => {
      throw new Error("mine too");
    });
  });
  await ada.subscribe("news");
  await ada.send("news", 1);
  await ada.send("news", 2);
  expect((await ada.waitForEntries("news", 2)).map(({ data }) => data)).toEqual([1, 2]);
  expect((await ada.states()).at(-1)?.status).toBe("connected");
  const uncaught = await until("both are reported", async () => {
    const texts = await bare.page.evaluate(() => window.bare.uncaught);
    return texts.filter((text) => text.endsWith("mine")).length === 2 && texts;
  });
  expect(uncaught.every((text) => text.includes("mine"))).toBe(true);
});

it("a listener may call back into the client: send, subscribe, unsubscribe, close", async () => {
  const { url } = await start();
  const bare = await BarePage.open(url);
  const ada = await bare.connect("ada");
  await bare.page.evaluate(() => {
    const { client } = window.bare.clients.get("ada") ?? {};
    client?.channel("news").on("message", ({ data }) => {
      if (data === "answer") void client.channel("echo").send("answered");
      if (data === "leave") void client.channel("news").unsubscribe();
    });
    client?.channel("echo").on("message", () => void client.close());
  });
  await ada.subscribe("news");
  await ada.subscribe("echo");
  await ada.send("news", "leave");
  await ada.send("news", "not received");
  await ada.subscribe("news", { recent: 0 });
  await ada.send("news", "answer");
  await ada.waitForState("closed");
  expect((await ada.received("news")).map(({ data }) => data)).toEqual(["leave", "answer"]);
  expect(problemsOf(bare.page)).toEqual([]);
});

it("closing ends everything: pending promises reject with closed, others see one leave at once", async () => {
  const server = await start();
  const bare = await BarePage.open(server.url);
  const ben = await bare.connect("ben");
  await ben.subscribe("presence-room.1");
  const ada = await bare.connect("ada");
  await ada.subscribe("presence-room.1");
  await ben.event("joined");
  expect(await ada.close()).toEqual({ ok: undefined });
  expect((await ada.states()).at(-1)).toMatchObject({ status: "closed" });
  const left = await ben.event("left");
  const closedAt = (await ada.waitForState("closed")).at;
  // No grace period after a clean close.
  expect(left.at - closedAt).toBeLessThan(8000);
  for (const outcome of [await ada.send("news", 1), await ada.subscribe("news")]) {
    expect(outcome).toMatchObject({ error: { code: "closed", everwire: true, retry: false } });
  }
  expect(await ada.close()).toEqual({ ok: undefined });
});

it("every refusal is an EverwireError with a documented code", async () => {
  const { url } = await start();
  const bare = await BarePage.open(url);
  const ada = await bare.connect("ada");
  const code = async (outcome: unknown) => (outcome as { error?: { code: string; everwire: boolean } }).error;
  expect(await code(await ada.send("news", "x".repeat(40_000)))).toMatchObject({
    code: "too_large",
    everwire: true,
  });
  expect(await code(await ada.subscribe("private-user.somebody-else"))).toMatchObject({
    code: "forbidden",
    everwire: true,
  });
  const thrown = await bare.page.evaluate((url) => {
    const attempt = (act: () => unknown) => {
      try {
        act();
        return "nothing";
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    const { client } = window.bare.clients.get("ada") ?? {};
    return [
      attempt(() => client?.channel("not a name")),
      attempt(() => client?.channel("")),
      attempt(() => window.bare.open("x", { url: "ftp://example" })),
      attempt(() => window.bare.open("x", { url, transports: [] })),
    ];
  }, url);
  expect(thrown).toEqual(["invalid_channel", "invalid_channel", "invalid_option", "invalid_option"]);
  const circular = await bare.page.evaluate(() => {
    const loop: { self?: unknown } = {};
    loop.self = loop;
    return window.bare.send("ada", "news", loop);
  });
  expect(circular).toMatchObject({ error: { code: "invalid_payload", everwire: true } });
  // And after all that, it still works.
  expect(await ada.send("news", "fine")).toMatchObject({ ok: { offset: 1 } });
});

it("report() describes what happened, and contains neither payloads nor tokens", async () => {
  const { url } = await start();
  const bare = await BarePage.open(url);
  const ada = await bare.connect("ada");
  await ada.subscribe("news");
  await ada.send("news", { text: "between you and me" });
  await ada.waitForEntries("news", 1);
  const report = await ada.report();
  expect(report).toMatch(/welcome/);
  expect(report).toMatch(/WebSocket/);
  expect(report).not.toMatch(/between you/);
});

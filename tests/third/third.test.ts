// The third client, which was written from docs/protocol.md, the schema, the codes and the vectors alone: it reads the vectors,
// and does against the real server, and against servers that break the protocol, what the text demands of a client.

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { blocksOf } from "../harness/documents";
import { FaultProxy } from "../harness/proxy";
import { PAGES, Server } from "../harness/server";
import { makeToken, SECRET } from "../harness/tokens";
import { until } from "../harness/until";
import { PYTHON, runThird, Third } from "./third";

const GENERATED = resolve(import.meta.dirname, "../../protocol/generated");
const CHANNEL = "news";
const TRANSPORTS = ["websocket", "polling"] as const;
const TRIES = "private-tries";

describe.skipIf(PYTHON === undefined)("the third client", () => {
  it("reads, refuses and writes what the golden vectors say", async () => {
    const vectors = JSON.parse(readFileSync(join(GENERATED, "vectors.json"), "utf8"));
    const count = ["valid", "invalid", "events", "users"].reduce(
      (sum, part) => sum + vectors[part].length,
      0,
    );
    const lines = (await runThird("-m", "everwire_third", "--vectors")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([{ vectors: count, passed: count }]);
  });

  it("answers as the transcript of the adapter's format shows", async () => {
    const [block, ...others] = blocksOf("tests/conformance/adapters/README.md").filter(
      ({ language }) => language === "transcript",
    );
    expect(others).toEqual([]);
    const server = await Server.start({ serveDir: PAGES });
    const ada = Third.start("ada");
    // What the server or the client makes is another one each time, and an ack may come after its entry.
    const shown = (lines: readonly string[]) =>
      lines.map((line) => line.replaceAll(/"[-0-9a-f]{18,36}"|"at":\d+/g, "made")).sort();
    let seen = 0;
    for (const step of block?.text.split(/^> /m) ?? []) {
      const [command = "", ...events] = step.split(/\n< |\n|^< /).filter((line) => line !== "");
      if (seen > 0) ada.command(JSON.parse(command.replace("http://127.0.0.1:8787", server.url)));
      const expected = seen > 0 ? events : [command];
      await until("it has answered", () => ada.events.length >= seen + expected.length, {
        seen: () => ada.events,
      });
      const answers = ada.events.slice(seen, seen + expected.length).map((event) => JSON.stringify(event));
      expect(shown(answers)).toEqual(shown(expected));
      seen += expected.length;
    }
    expect(ada.events).toHaveLength(seen);
    expect(seen).toBeGreaterThan(8);
  });

  it("is written in the syntax of Python 3.9", async () => {
    const directory = join(import.meta.dirname, "everwire_third");
    const files = readdirSync(directory).filter((file) => file.endsWith(".py"));
    expect(files.length).toBeGreaterThan(8);
    const program = `
import ast, sys
for name in sys.argv[1:]: ast.parse(open(name, encoding="utf-8").read(), feature_version=(3, 9))
print("parsed", len(sys.argv) - 1)`;
    const output = await runThird("-c", program, ...files.map((file) => join(directory, file)));
    expect(output.trim()).toBe(`parsed ${files.length}`);
  });

  it("stops for good after exactly the terminal codes", async () => {
    const rows = readFileSync(join(GENERATED, "codes.md"), "utf8")
      .split("\n")
      .map((row) => row.split(/ *\| */));
    const errors = rows.filter(([, code, , terminal]) => code?.startsWith("`") && terminal === "yes");
    const closes = rows.filter(([, number, , terminal]) => Number(number) > 0 && terminal === "yes");
    const program =
      "import json; from everwire_third import client; print(json.dumps([client.TERMINAL_ERRORS, [*client.TERMINAL_CLOSES]]))";
    expect(JSON.parse(await runThird("-c", program))).toEqual([
      errors.map(([, code]) => code?.replaceAll("`", "")),
      closes.map(([, number]) => Number(number)),
    ]);
  });

  it.each(TRANSPORTS)("%s: sends, receives, leaves and rejoins, and asks for history", async (transport) => {
    const server = await Server.start({ serveDir: PAGES });
    const ada = Third.connect("ada", server.url, { transports: [transport] });
    await ada.subscribe(CHANNEL);
    expect(ada.transport).toBe(transport);
    ada.send(CHANNEL, { text: "hello" }, "a", { event: "note" });
    ada.send(CHANNEL, null, "b");
    await ada.waitForEntries(2);
    expect(ada.entries[0]).toMatchObject({ offset: 1, user: "ada", event: "note", data: { text: "hello" } });
    await until("both are acknowledged", () => ada.acks.size === 2);
    expect([...ada.acks].map(([ref, { offset }]) => [ref, offset])).toEqual([
      ["a", 1],
      ["b", 2],
    ]);

    ada.command({ command: "unsubscribe", channel: CHANNEL });
    ada.send(CHANNEL, "unheard", "c");
    await until("it is acknowledged", () => ada.acks.has("c"));
    await ada.subscribe(CHANNEL, { recent: 1 });
    await ada.waitForEntries(3);
    expect(ada.entries.at(-1)).toMatchObject({ offset: 3, data: "unheard" });

    ada.command({ command: "request", ref: "h", frame: { type: "history", channel: CHANNEL, limit: 2 } });
    const { frame } = await ada.waitFor("answered", { ref: "h" });
    expect(frame).toMatchObject({
      type: "history_page",
      more: true,
      messages: [{ offset: 2 }, { offset: 3 }],
    });
    await ada.close();
    expect(ada.errors).toBe("");
  });

  it("checks a message before it makes an id", async () => {
    const server = await Server.start({ serveDir: PAGES });
    const ada = Third.connect("ada", server.url);
    ada.send(CHANNEL, "x".repeat(32 * 1024), "large");
    ada.send(CHANNEL, "\ud800", "half");
    ada.send("two words", 1, "name");
    ada.send(CHANNEL, 1, "fine");
    await until("one is acknowledged", () => ada.acks.has("fine"));
    expect(ada.all("failed").map(({ ref, code, id }) => [ref, code, id])).toEqual([
      ["large", "too_large", undefined],
      ["half", "invalid_payload", undefined],
      ["name", "invalid_channel", undefined],
    ]);
  });

  it("a copy gets the ack of the first, and is stored once", async () => {
    const server = await Server.start({ serveDir: PAGES });
    const id = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
    const offsets = [];
    for (const transport of TRANSPORTS) {
      const ada = Third.connect("ada", server.url, { transports: [transport] });
      await ada.subscribe(CHANNEL, { recent: 10 });
      ada.send(CHANNEL, "once", "a", { id });
      ada.send(CHANNEL, transport, "b");
      await until("both are acknowledged", () => ada.acks.size === 2);
      offsets.push(ada.acks.get("a")?.offset, ada.acks.get("b")?.offset);
      await ada.close();
    }
    expect(offsets).toEqual([1, 2, 1, 3]);
  });

  it.each(TRANSPORTS)("%s: a lost log and a long absence are gaps", async (transport) => {
    const server = await Server.start({ serveDir: PAGES, args: ["--replay-limit", "5"] });
    const proxy = await FaultProxy.start(server.port);
    const ada = Third.connect("ada", proxy.url, { transports: [transport], speed: 10 });
    const ben = Third.connect("ben", server.url);
    await ada.subscribe(CHANNEL);
    ben.send(CHANNEL, 0, "0");
    await ada.waitForEntries(1);
    proxy.websocket = "refuse";
    proxy.poll = () => "502";
    proxy.reset();
    for (let n = 1; n <= 7; n++) ben.send(CHANNEL, n, String(n));
    await until("all are acknowledged", () => ben.acks.size === 8);
    // What waits for a polling connection ends with it.
    await server.kill();
    await server.start();
    proxy.websocket = "pass";
    proxy.poll = () => "pass";
    expect(await ada.waitFor("gap")).toMatchObject({ channel: CHANNEL, from: 2, to: 8, reason: "too_far" });
    await server.kill();
    server.forget();
    await server.start();
    expect(await ada.waitFor("gap", { reason: "epoch" })).toMatchObject({ from: 9, to: 0 });
    ben.send(CHANNEL, "new", "new");
    await ada.waitForEntries(2);
    expect(ada.entries.map(({ offset }) => offset)).toEqual([1, 1]);
  });

  it("falls back to polling, and returns to WebSocket", async () => {
    const server = await Server.start({ serveDir: PAGES });
    const proxy = await FaultProxy.start(server.port);
    proxy.websocket = "hang";
    const ada = Third.connect("ada", proxy.url, { speed: 10 });
    await ada.waitFor("state", { status: "connected", transport: "polling" });
    await ada.subscribe(CHANNEL);
    ada.send(CHANNEL, 0, "0");
    await ada.waitForEntries(1);
    proxy.websocket = "pass";
    await ada.waitFor("state", { status: "connected", transport: "websocket" });
    ada.send(CHANNEL, 1, "1");
    await ada.waitForEntries(2);
    expect(ada.switches).toEqual({ websocket: 1, polling: 0 });
  });

  it("what a proxy refuses is reported as blocked, and holds up nothing else", async () => {
    const server = await Server.start({ serveDir: PAGES });
    const proxy = await FaultProxy.start(server.port);
    proxy.poll = ({ body }) => (body.includes("a bad word") ? { status: 403 } : "pass");
    const ada = Third.connect("ada", proxy.url, { speed: 10, transports: ["polling"] });
    await ada.subscribe(CHANNEL);
    for (const text of ["one", "a bad word", "two"]) ada.send(CHANNEL, text, text);
    expect(await ada.waitFor("failed")).toMatchObject({ ref: "a bad word", code: "blocked" });
    await until("the others are acknowledged", () => ada.acks.size === 2);
    await ada.waitForEntries(2);
    expect(ada.entries.map(({ data }) => data)).toEqual(["one", "two"]);
  });

  it.each(TRANSPORTS)("%s: asks for a new token before the old one expires", async (transport) => {
    const server = await Server.start({ serveDir: PAGES, secret: SECRET });
    const token = (validForS: number) => makeToken("ada", { validForS, grants: [TRIES] });
    const ada = Third.connect("ada", server.url, { ask_token: true, transports: [transport] });
    await ada.waitFor("token_wanted");
    ada.command({ command: "token", token: token(4) });
    await ada.subscribe(TRIES);
    await until("it asks again", () => ada.all("token_wanted").length === 2);
    ada.command({ command: "token", token: token(3600) });
    ada.send(TRIES, 0, "0");
    await ada.waitForEntries(1);
    expect(ada.all("state").filter(({ status }) => status === "reconnecting")).toEqual([]);
  });

  it.each(TRANSPORTS)("%s: an expired token is replaced, a wrong one ends the client", async (transport) => {
    const server = await Server.start({ serveDir: PAGES, secret: SECRET });
    const transports = [transport];
    const ada = Third.connect("ada", server.url, { ask_token: true, transports });
    await ada.waitFor("token_wanted");
    ada.command({ command: "token", token: makeToken("ada", { validForS: -60 }) });
    await until("it asks again", () => ada.all("token_wanted").length === 2);
    ada.command({ command: "token", token: makeToken("ada") });
    await ada.waitFor("state", { status: "connected" });
    ada.command({ command: "subscribe", channel: TRIES });
    expect(await ada.waitFor("unsubscribed")).toMatchObject({ channel: TRIES, code: "forbidden" });

    const eve = Third.connect("eve", server.url, { transports, token: `${makeToken("eve")}x` });
    expect(await eve.waitFor("state", { status: "closed" })).toMatchObject({ code: "unauthorized" });
  });
});

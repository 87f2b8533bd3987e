// Invalid input: each kind gets its documented answer, and other clients are not affected.

import { afterEach, beforeEach, expect, it } from "vitest";
import { POLL_PATH } from "../../protocol/generated/protocol";
import { BarePage, expectContiguous, type PageClient } from "../harness/bare";
import { ProtocolClient, uuid7 } from "../harness/protocol-client";
import { PAGES, Server } from "../harness/server";

let server: Server;
let ada: PageClient;
let ben: PageClient;
let said = 0;

beforeEach(async () => {
  server = await Server.start({ serveDir: PAGES });
  const bare = await BarePage.open(server.url);
  ada = await bare.connect("ada");
  ben = await bare.connect("ben");
  await Promise.all([ada.subscribe("news"), ben.subscribe("news")]);
  said = 0;
});

/** Two other clients talk before, in between and after. */
async function chatGoesOn(): Promise<void> {
  said += 2;
  await ada.send("news", { text: `ada ${said}` });
  await ben.send("news", { text: `ben ${said}` });
}

afterEach(async () => {
  await chatGoesOn();
  for (const client of [ada, ben]) {
    const received = await client.waitForEntries("news", said);
    expectContiguous(received);
    expect(received).toHaveLength(said);
    // Not even a reconnect.
    expect((await client.states()).filter(({ status }) => status === "connected")).toHaveLength(1);
    expect(await client.errors()).toEqual([]);
  }
});

it("anything but a batch is answered with invalid_batch, and the connection stays open", async () => {
  const kinds = {
    "text that is no JSON": "rubbish",
    "half a batch": '[{"type":"ping"',
    "an object instead of an array": '{"type":"ping"}',
    "an empty message": "",
    "a number": "42",
    "nesting without end": "[".repeat(5000),
  };
  for (const [kind, text] of Object.entries(kinds)) {
    const client = await ProtocolClient.join(server.url, "mallory");
    client.raw(text);
    const error = await client.waitForFrame("error", { code: "invalid_batch" });
    expect(error.message, kind).not.toBe("");
    client.send({ type: "ping", nonce: 7 });
    await client.waitForFrame("pong", { nonce: 7 });
    await chatGoesOn();
  }
});

it("a malformed frame is answered with invalid_frame and its id, and the rest of its batch is processed", async () => {
  const client = await ProtocolClient.join(server.url, "mallory");
  const [bad, good] = [uuid7(), uuid7()];
  client.send(
    { type: "send", id: bad, channel: 42, data: 1 },
    { type: "send", id: good, channel: "elsewhere", data: "fine" },
    { type: "subscribe", channel: "not a name" },
  );
  expect(await client.waitForFrame("error", { id: bad })).toMatchObject({ code: "invalid_frame" });
  expect(await client.waitForFrame("ack", { id: good })).toMatchObject({ channel: "elsewhere", offset: 1 });
  expect(client.closed).toBeUndefined();
});

it("an unknown frame type is ignored and reported", async () => {
  const client = await ProtocolClient.join(server.url, "mallory");
  client.send({ type: "teleport", to: "mars" }, { type: "ping", nonce: 9 });
  await client.waitForFrame("error", { code: "unknown_type" });
  await client.waitForFrame("pong", { nonce: 9 });
});

it("unknown fields are ignored", async () => {
  const client = await ProtocolClient.join(server.url, "mallory");
  client.send({ type: "ping", nonce: 3, colour: "blue", nested: { deep: [1] } });
  await client.waitForFrame("pong", { nonce: 3 });
  expect(client.frames.filter(({ type }) => type === "error")).toEqual([]);
});

it("a binary message closes with 1003", async () => {
  const client = await ProtocolClient.join(server.url, "mallory");
  client.raw(new Uint8Array([0x5b, 0x5d]));
  expect(await client.waitForClose()).toBe(1003);
});

it("a message above 64 KiB closes with 4011", async () => {
  const client = await ProtocolClient.join(server.url, "mallory");
  client.raw(JSON.stringify([{ type: "ping", padding: "x".repeat(70_000) }]));
  expect(await client.waitForClose()).toBe(4011);
});

it("a payload above 32 KiB and too many frames are too_large", async () => {
  const client = await ProtocolClient.join(server.url, "mallory");
  const id = uuid7();
  client.send({ type: "send", id, channel: "elsewhere", data: "x".repeat(33_000) });
  expect(await client.waitForFrame("error", { id })).toMatchObject({ code: "too_large", retry: false });
  client.send(...Array.from({ length: 301 }, () => ({ type: "ping" })));
  await client.waitForFrame("error", { code: "too_large", retry: false });
});

it("the eleventh bad batch closes with 4010", async () => {
  const client = await ProtocolClient.join(server.url, "mallory");
  for (let n = 0; n < 11; n++) client.raw("rubbish");
  expect(await client.waitForClose()).toBe(4010);
});

it("a frame before hello is unexpected, and so is a second hello", async () => {
  const client = await ProtocolClient.open(server.url);
  client.send({ type: "ping" });
  await client.waitForFrame("error", { code: "unexpected" });
  const hello = { type: "hello", version: 1, session: client.session, guest: { user: "mallory", name: "M" } };
  client.send(hello);
  await client.waitForFrame("welcome");
  client.frames.length = 0;
  client.send(hello);
  await client.waitForFrame("error", { code: "unexpected" });
});

it("an unsupported version closes with 4004", async () => {
  const client = await ProtocolClient.open(server.url);
  client.send({ type: "hello", version: 99, session: client.session, guest: { user: "m", name: "M" } });
  await client.waitForFrame("error", { code: "unsupported_version" });
  expect(await client.waitForClose()).toBe(4004);
});

it("another user's session closes with 4005", async () => {
  const client = await ProtocolClient.join(server.url, "mallory");
  const thief = await ProtocolClient.open(server.url);
  thief.send({ type: "hello", version: 1, session: client.session, guest: { user: "thief", name: "T" } });
  await thief.waitForFrame("error", { code: "session_mismatch" });
  expect(await thief.waitForClose()).toBe(4005);
  client.send({ type: "ping", nonce: 1 });
  await client.waitForFrame("pong", { nonce: 1 });
});

it("an id that was used for another channel is id_reused; a copy gets the same ack and is stored once", async () => {
  const client = await ProtocolClient.join(server.url, "mallory");
  const id = uuid7();
  client.send({ type: "send", id, channel: "elsewhere", data: 1 });
  const first = await client.waitForFrame("ack", { id });
  client.frames.length = 0;
  client.send({ type: "send", id, channel: "elsewhere", data: 1 });
  expect(await client.waitForFrame("ack", { id })).toEqual(first);
  client.send({ type: "send", id, channel: "another", data: 1 });
  expect(await client.waitForFrame("error", { id })).toMatchObject({ code: "id_reused" });
});

it("by polling, an invalid body gets a 200 with an error frame", async () => {
  const hello = { type: "hello", version: 1, session: crypto.randomUUID(), guest: { user: "m", name: "M" } };
  for (const [body, code] of [
    ["rubbish", "invalid_batch"],
    ["{}", "invalid_batch"],
    ["[]", "unexpected"],
    [JSON.stringify([{ type: "ping" }]), "unexpected"],
    [JSON.stringify([{ ...hello, version: 99 }]), "unsupported_version"],
    [JSON.stringify([hello, { type: "ping", padding: "x".repeat(70_000) }]), "too_large"],
  ] as const) {
    const response = await fetch(`${server.url}${POLL_PATH}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toContainEqual(expect.objectContaining({ type: "error", code }));
  }
});

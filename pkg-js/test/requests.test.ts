// Requests: what is asked, and that each ends once: with its answer, a refusal, or the end of the client.

import { describe, expect, it } from "vitest";
import { running } from "./scripted-core.js";

const code = (code: string) => expect.objectContaining({ name: "EverwireError", code });

describe("a request", () => {
  it("is a frame with an id of its own, and resolves with the answer of that id", async () => {
    const { client, core } = await running();
    const one = client.request("history", { channel: "news", limit: 2 });
    const two = client.request("get_status", { users: ["ann"] }, { timeout: 500 });
    const [[first, frame, timeout], [second, other, short]] = core.of("request") as [unknown[], unknown[]];
    expect([frame, timeout]).toEqual([{ type: "history", id: first, channel: "news", limit: 2 }, 10_000]);
    expect([other, short]).toEqual([{ type: "get_status", id: second, users: ["ann"] }, 500]);
    const page = { type: "history_page", channel: "news", epoch: "e", messages: [], more: false };
    core.receive({ type: "statuses", id: second, statuses: [] }, { ...page, id: first });
    expect(await one).toEqual({ ...page, id: first });
    expect(await two).toMatchObject({ statuses: [] });
  });

  it("rejects with the server's error, and then ignores answers", async () => {
    const { client, core } = await running();
    const asked = client.request("join_chat", { chat: "c" });
    const [id] = core.of("request")[0] as [string];
    core.host.sending({ id, status: "failed", code: "not_found", message: "No such chat." });
    await expect(asked).rejects.toEqual(code("not_found"));
    core.host.sending({ id, status: "failed", code: "timeout", message: "Late." });
    core.receive({ type: "done", id });
    expect(client._sends.size).toBe(0);
  });

  it("has the retry delay, if the server sends one", async () => {
    const { client, core } = await running();
    const asked = client.request("join_chat", { chat: "c" });
    const [id] = core.of("request")[0] as [string];
    core.refusing = true;
    const error = { code: "rate_limited", message: "Wait.", retry: true, id, retry_after_ms: 700 };
    core.receive({ type: "error", ...error });
    await expect(asked).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 700 });
  });

  it("that the server does not offer rejects with the server's sentence; what nobody asked for is not reported", async () => {
    const { client, core } = await running();
    const errors: string[] = [];
    client.on("error", (error) => errors.push(error.message));
    const asked = client.request("join_chat", { chat: "c" });
    const [id] = core.of("request")[0] as [string];
    core.refusing = true;
    const error = { type: "error", code: "unsupported_feature", retry: false };
    core.receive(
      { ...error, message: "No chats here.", id, re: "join_chat" },
      { ...error, message: "No status here.", re: "idle" },
      { ...error, message: "No typing here.", re: "typing", channel: "news" },
    );
    await expect(asked).rejects.toMatchObject({ code: "unsupported_feature", message: "No chats here." });
    expect(errors).toEqual(["No typing here."]);
  });

  it("is sent when the core is loaded, and ends with the client", async () => {
    const { client, loaded } = await running({}, false);
    const asked = client.request("set_status", { status: "away" });
    const late = client.request("set_status", { status: "auto" });
    const core = await loaded();
    expect(core.of("request")).toHaveLength(2);
    core.answer("set_status", { type: "done" });
    await late;
    await client.close();
    await expect(asked).rejects.toEqual(code("closed"));
    await expect(client.request("set_status", { status: "auto" })).rejects.toEqual(code("closed"));
    expect(client._sends.size).toBe(0);
  });

  it("that the core refuses rejects, and the client continues", async () => {
    const { client, core } = await running();
    core.throwing.set("request", { code: "queue_full", message: "Full." });
    await expect(client.getStatus(["a"])).rejects.toEqual(code("queue_full"));
    core.throwing.clear();
    const asked = client.getStatus(["a"]);
    core.answer("get_status", { type: "statuses", statuses: [{ user: "a", status: "away" }] });
    expect(await asked).toEqual([{ user: "a", status: "away" }]);
  });

  it("that is not JSON is refused", async () => {
    const { client } = await running();
    const loop: unknown[] = [];
    loop.push(loop);
    await expect(client.request("get_status", { users: loop as string[] })).rejects.toEqual(
      code("invalid_payload"),
    );
  });

  it("is not answered by frames with other ids or of the wrong shape", async () => {
    const { client, core } = await running();
    let settled = false;
    const asked = client.getStatus(["a"]).finally(() => {
      settled = true;
    });
    const [id] = core.of("request")[0] as [string];
    core.receive({ type: "statuses", id: "other", statuses: [] }, { type: "statuses", id, statuses: [7] });
    await Promise.resolve();
    expect([settled, core.of("violation").length]).toEqual([false, 1]);
    core.receive({ type: "statuses", id, statuses: [] });
    expect(await asked).toEqual([]);
  });
});

describe("status", () => {
  it("is set for all devices", async () => {
    const { client, core } = await running();
    const set = client.setStatus("away");
    expect(core.of("request")[0]?.[1]).toMatchObject({ type: "set_status", status: "away" });
    core.answer("set_status", { type: "done" });
    expect(await set).toBeUndefined();
  });
});

describe("the id of the connection", () => {
  it("is there while there is a connection", async () => {
    const { client, core } = await running();
    expect(client.connection).toBeUndefined();
    core.welcomed("ann", "c7");
    expect(client.connection).toBe("c7");
    await client.close();
    expect(client.connection).toBeUndefined();
  });
});

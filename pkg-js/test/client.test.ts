// The client over a scripted core: what waits for the core, options, state, errors, the end.

import { afterEach, describe, expect, it, vi } from "vitest";
import type { EverwireError } from "../src/core/errors.js";
import type { ConnectionState, ConnectOptions } from "../src/core/events.js";
import { message, running, scripted } from "./scripted-core.js";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const code = (code: string) => expect.objectContaining({ name: "EverwireError", code });

describe("before the core is loaded", () => {
  it("calls wait and are made in their order", async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { client, loaded } = scripted({}, () => gate);
    client._start();
    const [a, b] = [client.channel("a"), client.channel("b")];
    const first = a.send({ n: 1 });
    void b.subscribe({ recent: 5 });
    const second = a.send({ n: 2 }, { event: "x" });
    void a.subscribe({ position: { epoch: "e9", offset: 7 } });
    expect([a.subscription, b.subscription]).toEqual(["pending", "pending"]);
    release();
    const core = await loaded();
    expect(core.calls).toEqual([
      ["send", first.id, "a", undefined, '{"n":1}', false],
      ["subscribe", "b", 5, undefined, undefined, false],
      ["send", second.id, "a", "x", '{"n":2}', false],
      ["subscribe", "a", undefined, "e9", 7, false],
      ["start"],
    ]);
  });

  it("a subscription that was ended meanwhile is not started", async () => {
    const { client, loaded } = scripted();
    client._start();
    const channel = client.channel("a");
    const subscribing = channel.subscribe();
    void channel.unsubscribe();
    await expect(subscribing).rejects.toEqual(code("unsubscribed"));
    const core = await loaded();
    expect(core.calls).toEqual([["start"]]);
  });

  it("refuses an invalid event name immediately, and accepts the longest valid one", async () => {
    const { client } = scripted({}, () => new Promise(() => {}));
    const channel = client._start().channel("a");
    channel.on("sending", () => {});
    for (const event of ["", "x".repeat(101), "é".repeat(51), 7 as unknown as string]) {
      await expect(channel.send(1, { event })).rejects.toEqual(code("invalid_option"));
    }
    const longest = channel.send(1, { event: "é".repeat(50) });
    await expect(Promise.race([longest, Promise.resolve("waits")])).resolves.toBe("waits");
  });

  it("the outbox is bounded, in messages and in length", async () => {
    const { client } = scripted({}, () => new Promise(() => {}));
    client._start();
    const channel = client.channel("a");
    channel.on("sending", () => {});
    const sends = Array.from({ length: 1001 }, (_, n) => channel.send(n));
    await expect(sends[1000]).rejects.toEqual(code("queue_full"));
    const big = scripted({}, () => new Promise(() => {}))
      .client._start()
      .channel("a");
    for (let n = 0; n < 32; n++) void big.send("x".repeat(32 * 1024 - 2));
    await expect(big.send("xx")).rejects.toEqual(code("queue_full"));
  });

  it("data is taken as it was when it was sent", async () => {
    const { client, loaded } = scripted();
    client._start();
    const data = { text: "before" };
    void client.channel("a").send(data);
    data.text = "after";
    expect((await loaded()).of("send")[0]?.[3]).toBe('{"text":"before"}');
  });

  it("a failed load emits load_failed and is retried with backoff", async () => {
    vi.useFakeTimers();
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    let failures = 2;
    const { client, loaded } = scripted({}, () =>
      failures-- > 0 ? Promise.reject(new Error("no network")) : Promise.resolve(),
    );
    const states: ConnectionState[] = [];
    const errors: EverwireError[] = [];
    client.on("state", (state) => states.push(state));
    client.on("error", (error) => errors.push(error));
    client._start();
    await vi.advanceTimersByTimeAsync(499);
    expect(states.map((state) => state.status)).toEqual(["waiting"]);
    expect(errors).toEqual([code("load_failed")]);
    expect(errors[0]?.message).toContain("no network");
    expect(errors[0]?.retry).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(states.map((state) => state.status)).toEqual(["waiting", "connecting", "waiting"]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect((await loaded()).calls[0]).toEqual(["start"]);
  });

  it("a failed load is retried immediately when the page is online again", async () => {
    vi.useFakeTimers();
    const page = new EventTarget();
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
    let loads = 0;
    const { client, loaded } = scripted({}, () =>
      loads++ === 0 ? Promise.reject(new Error()) : Promise.resolve(),
    );
    client.on("error", () => {});
    client._start();
    await vi.advanceTimersByTimeAsync(0);
    expect([loads, client.state.status]).toEqual([1, "waiting"]);
    page.dispatchEvent(new Event("online"));
    page.dispatchEvent(new Event("online"));
    await loaded();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(loads).toBe(2);
    vi.unstubAllGlobals();
  });

  it("a send emits queued once", async () => {
    const { client, loaded } = scripted();
    client._start();
    const statuses: string[] = [];
    const channel = client.channel("a");
    channel.on("sending", ({ status }) => statuses.push(status));
    void channel.send(1);
    expect(statuses).toEqual(["queued"]);
    await loaded();
    await Promise.resolve();
    expect(statuses).toEqual(["queued"]);
  });

  it("nothing is created after a close", async () => {
    const { client, core } = scripted();
    client._start();
    await client.close();
    await new Promise((resolve) => setTimeout(resolve));
    expect(core).toThrow("has not been made");
  });
});

describe("options", () => {
  it.each([
    ["https://chat.example/", "https://chat.example"],
    ["http://chat.example:8080/base//?q#h", "http://chat.example:8080/base"],
    ["wss://chat.example", "https://chat.example"],
    ["ws://localhost:1/x", "http://localhost:1/x"],
  ])("the url %s becomes %s", async (url, want) => {
    expect((await running({ url })).core.made.url).toBe(want);
  });

  it("are passed to the core", async () => {
    const { core, client } = await running({
      token: "t",
      guest: { user: "u", name: "n" },
      transports: ["polling"],
      debug: true,
    });
    expect(core.made).toEqual({
      url: "https://chat.example",
      session: client.session,
      guest_user: "u",
      guest_name: "n",
      tokens: 1,
      websocket: false,
      polling: true,
      debug: true,
      hidden: false,
      online: true,
    });
  });

  it.each<[string, object]>([
    ["no url", { url: "" }],
    ["another protocol", { url: "ftp://x" }],
    ["a password in the url", { url: "https://u:p@x" }],
    ["a token that is neither", { token: 7 }],
    ["a guest without a name", { guest: { user: "u" } }],
    ["no transports", { transports: [] }],
  ])("%s is invalid_option", (_, options) => {
    expect(() => scripted(options).client._start()).toThrow(code("invalid_option"));
  });
});

describe("state", () => {
  it("is reported in the terms of the API", async () => {
    vi.useFakeTimers({ now: 5000 });
    const { client, core } = await running();
    const states: ConnectionState[] = [];
    client.on("state", (state) => states.push(state));
    core.host.state({ status: "connecting", attempt: 1, reason: "opening" });
    core.host.state({ status: "connected", transport: "polling", attempt: 0, reason: "blocked" });
    core.host.state({ status: "waiting", attempt: 3, retry_in_ms: 700, reason: "lost" });
    core.host.state({ status: "offline", attempt: 3, reason: "no network" });
    expect(states).toEqual([
      { status: "connecting", attempt: 1, reason: "opening" },
      { status: "connected", transport: "polling", reason: "blocked" },
      { status: "waiting", attempt: 3, retryAt: 5700, reason: "lost" },
      { status: "offline", reason: "no network" },
    ]);
    expect(client.state).toBe(states[3]);
  });

  it("a terminal error closes the client, rejects everything pending, and frees the core", async () => {
    const { client, core } = await running();
    const channel = client.channel("a");
    const sending = channel.send(1);
    const subscribing = channel.subscribe();
    core.host.state({ status: "closed", attempt: 0, code: "unauthorized", reason: "Sign in again." });
    expect(client.state).toMatchObject({ status: "closed", error: { code: "unauthorized", retry: false } });
    await expect(sending).rejects.toEqual(code("unauthorized"));
    await expect(subscribing).rejects.toEqual(code("unauthorized"));
    expect(core.freed).toBe(true);
    expect(client.report()).toContain("the core's journal");
    await expect(channel.send(2)).rejects.toEqual(code("closed"));
  });

  it("errors of the connection reach the listener, or else the console", async () => {
    const { client, core } = await running();
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    core.host.error({ code: "token_failed", message: "first" });
    expect(warn).toHaveBeenCalledOnce();
    const errors: EverwireError[] = [];
    client.on("error", (error) => errors.push(error));
    core.host.error({ code: "token_failed", message: "second" });
    expect(errors).toEqual([code("token_failed")]);
    expect(warn).toHaveBeenCalledOnce();
  });

  it("a core that traps closes the client with an error", async () => {
    const { client, core } = await running();
    const sending = client.channel("a").send(1);
    core.throwing.set("subscribe", new Error("unreachable"));
    core.throwing.set("ping", new Error("unreachable"));
    core.receive({ type: "ping" });
    expect(client.state).toMatchObject({ status: "closed", error: { code: "internal" } });
    await expect(sending).rejects.toEqual(code("internal"));
  });

  it("a core that traps outside of a call closes the client with an error, too", async () => {
    const { client, core } = await running();
    const sending = client.channel("a").send(1);
    core.host.broken(new Error("unreachable"));
    expect(client.state).toMatchObject({ status: "closed", error: { code: "internal" } });
    await expect(sending).rejects.toEqual(code("internal"));
  });
});

describe("close", () => {
  it("is idempotent, rejects everything pending with closed, and frees the core once", async () => {
    const { client, core } = await running();
    const channel = client.channel("a");
    const waiting = [channel.subscribe(), channel.send(1), channel.send(2)];
    const statuses: string[] = [];
    channel.on("sending", (outgoing) => statuses.push(outgoing.status));
    await Promise.all([client.close(), client.close()]);
    await client.close();
    for (const promise of waiting) await expect(promise).rejects.toEqual(code("closed"));
    expect(statuses).toEqual(["failed", "failed"]);
    expect(core.of("close")).toHaveLength(1);
    expect(core.of("free")).toHaveLength(1);
    expect(client.state).toEqual({ status: "closed", reason: "closed by the application" });
  });

  it("makes later calls fail with closed", async () => {
    const { client } = await running();
    await client.close();
    const channel = client.channel("a");
    await expect(channel.subscribe()).rejects.toEqual(code("closed"));
    await expect(channel.send(1)).rejects.toEqual(code("closed"));
    await channel.unsubscribe();
    expect(channel.subscription).toBe("none");
  });

  it("from a listener in the middle of a batch frees nothing before the batch is done", async () => {
    const { client, core } = await running();
    const channel = client.channel("a");
    void channel.subscribe();
    core.confirm("a");
    const got: unknown[] = [];
    channel.on("message", ({ data }) => {
      got.push(data);
      void client.close();
    });
    core.receive(message("a", 1), message("a", 2), { type: "ping" });
    expect(got).toEqual([1]);
    expect(core.freed).toBe(false);
    await Promise.resolve();
    expect(core.freed).toBe(true);
  });

  it("leaves no unhandled rejection behind", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const { client } = await running();
    void client.channel("a").send(1);
    void client.channel("a").subscribe();
    await client.close();
    await new Promise((resolve) => setTimeout(resolve));
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe("token", () => {
  it.each<[string, ConnectOptions["token"]]>([
    ["a string", "t1"],
    ["a function", () => "t1"],
    ["an async function", async () => "t1"],
  ])("%s is given to the core", async (_, token) => {
    const { core } = await running({ token });
    core.host.fetchToken();
    await vi.waitFor(() => expect(core.of("token")).toEqual([["t1"]]));
  });

  it.each<[string, unknown, string]>([
    ["throws", () => Promise.reject(new Error("no session")), "no session"],
    ["gives no string", () => undefined, "did not give a string"],
  ])("a callback that %s is reported to the core", async (_, token, text) => {
    const { core } = await running({ token: token as () => string });
    core.host.fetchToken();
    await vi.waitFor(() => expect(core.of("tokenFailed")[0]?.[0]).toContain(text));
  });
});

describe("debug", () => {
  it("writes lines to a function; one that throws does no harm", async () => {
    const lines: string[] = [];
    const { core } = await running({
      debug: (line: string) => {
        lines.push(line);
        throw new Error("no");
      },
    });
    const reported = vi.spyOn(console, "error").mockImplementation(() => {});
    core.host.log({ line: "a line" });
    expect(lines).toEqual(["a line"]);
    expect(reported).toHaveBeenCalledOnce();
  });
});

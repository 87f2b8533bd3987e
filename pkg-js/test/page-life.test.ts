// What happens to a client over the life of a page: a core that is late or can never come, subscriptions that several parts
// of a page share, chats that are opened one after the other, and options that make no sense.

import { afterEach, describe, expect, it, vi } from "vitest";
import { createChat } from "../src/chat/index.js";
import type { Channel } from "../src/core/channel.js";
import type { ConnectOptions, Member } from "../src/core/events.js";
import { RELEASE_MS, retain, retainRoom } from "../src/integration/reference-counts.js";
import { running, scripted } from "./scripted-core.js";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const never = () => new Promise<void>(() => {});

describe("requests", () => {
  it("time out though the core is never loaded", async () => {
    vi.useFakeTimers();
    const { client } = scripted({}, never);
    client._start();
    const asked = expect(client.getStatus(["ann"])).rejects.toMatchObject({ code: "timeout", retry: true });
    await vi.advanceTimersByTimeAsync(10_000);
    await asked;
  });

  it("have the time that is left when it is", async () => {
    vi.useFakeTimers();
    let load: (value?: unknown) => void = () => {};
    const loading = new Promise((resolve) => {
      load = resolve;
    });
    const { client, loaded } = scripted({}, () => loading);
    client._start();
    client.request("get_status", { users: [] }, { timeout: 5_000 }).catch(() => {});
    client.request("get_status", { users: [] }, { timeout: 2_000 }).catch(() => {});
    await vi.advanceTimersByTimeAsync(3_000);
    load();
    const core = await loaded();
    expect(core.of("request").map(([, , timeout]) => timeout)).toEqual([2_000]);
    // From now on the core counts.
    await vi.advanceTimersByTimeAsync(10_000);
    expect(client._sends.size).toBe(1);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "5"])(
    "have no timeout of %s",
    async (timeout) => {
      const { client } = await running();
      const asked = client.request("get_status", { users: [] }, { timeout: timeout as number });
      await expect(asked).rejects.toMatchObject({
        code: "invalid_option",
        message: expect.stringContaining("timeout"),
      });
    },
  );
});

describe("options", () => {
  it.each<[string, object, string]>([
    ["a url that is undefined", { url: undefined }, "url"],
    ["an empty url", { url: "" }, "url"],
    ["a url that is no text", { url: 7 }, "url"],
    ["idleAfter: Infinity", { idleAfter: Number.POSITIVE_INFINITY }, "idleAfter"],
    ["idleAfter: 0", { idleAfter: 0 }, "idleAfter"],
    ["idleAfter beyond what a timer can do", { idleAfter: 2 ** 31 }, "idleAfter"],
    ["idleAfter: true", { idleAfter: true }, "idleAfter"],
    ["an unknown option", { tokn: "x" }, "tokn"],
    ["an empty token", { token: "" }, "token"],
    ["no transports", { transports: [] }, "transports"],
    ["an unknown transport", { transports: ["websocket", "pigeon"] }, "transports"],
    ["transports as text", { transports: "polling" }, "transports"],
    ["persist as text", { persist: "no" }, "persist"],
    ["debug as text", { debug: "yes" }, "debug"],
  ])("%s is refused by name", (_, options, name) => {
    const start = () => scripted(options as Partial<ConnectOptions>).client._start();
    expect(start).toThrow(expect.objectContaining({ code: "invalid_option" }));
    expect(start).toThrow(name);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("recent: %s is refused", async (recent) => {
    const { client, core } = await running();
    const channel = client.channel("news");
    await expect(channel.subscribe({ recent })).rejects.toMatchObject({ code: "invalid_option" });
    expect([channel.subscription, core.of("subscribe")]).toEqual(["none", []]);
  });

  it.each([1, 300_000, false, undefined] as const)("idleAfter: %s is accepted", (idleAfter) => {
    expect(() => scripted({ idleAfter }, never).client._start()).not.toThrow();
  });
});

describe("loading", () => {
  const compileError = () =>
    new WebAssembly.CompileError("Refused to compile: 'unsafe-eval' is not an allowed source");

  it.each<[string, () => unknown]>([
    ["the Content-Security-Policy forbids WebAssembly", compileError],
    ["Safari's does", () => new EvalError("Refused to create a WebAssembly object")],
    ["the engine lacks an import", () => new WebAssembly.LinkError("import a is not a function")],
  ])("ends when %s, and is not retried", async (_, cause) => {
    vi.useFakeTimers();
    const load = vi.fn(() => Promise.reject(cause()));
    const { client } = scripted({}, load);
    const errors: string[] = [];
    client.on("error", ({ code }) => errors.push(code));
    client._start();
    const sending = client.channel("news").send("x");
    await expect(sending).rejects.toMatchObject({ code: "load_failed" });
    expect(client.state).toMatchObject({ status: "closed", error: { code: "load_failed" } });
    expect(client.state.reason).toContain("wasm-unsafe-eval");
    await vi.advanceTimersByTimeAsync(60_000);
    expect([load.mock.calls.length, errors]).toEqual([1, ["load_failed"]]);
  });

  it("ends in a page without WebAssembly", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    const { client } = scripted({}, () => Promise.reject(new ReferenceError("WebAssembly is not defined")));
    client.on("error", () => {});
    client._start();
    await vi.waitFor(() =>
      expect(client.state).toMatchObject({ status: "closed", error: { code: "load_failed" } }),
    );
  });

  it("goes on where the network failed", async () => {
    const { client } = scripted({}, () => Promise.reject(new TypeError("Failed to fetch")));
    client.on("error", () => {});
    client._start();
    await vi.waitFor(() => expect(client.state.status).toBe("waiting"));
    await client.close();
  });
});

describe("a subscription that the application and a component share", () => {
  const news = async () => {
    vi.useFakeTimers();
    const { client, core } = await running();
    const channel = client.channel("news") as unknown as Channel<object>;
    const ended = () => core.of("unsubscribe").length;
    return { channel, ended, wait: () => vi.advanceTimersByTimeAsync(RELEASE_MS + 10) };
  };
  const ignored = () => {};

  it("stays when the component came first and goes first", async () => {
    const { channel, ended, wait } = await news();
    const release = retain(channel);
    channel.subscribe().catch(ignored);
    release();
    await wait();
    expect([channel.subscription, ended()]).toEqual(["pending", 0]);
    await channel.unsubscribe();
    expect([channel.subscription, ended()]).toEqual(["none", 1]);
  });

  it("stays when the application came first and goes first", async () => {
    const { channel, ended, wait } = await news();
    channel.subscribe().catch(ignored);
    const release = retain(channel);
    await channel.unsubscribe();
    expect([channel.subscription, ended()]).toEqual(["pending", 0]);
    release();
    await wait();
    expect([channel.subscription, ended()]).toEqual(["none", 1]);
  });

  it("ends once with two components, and begins again after the server has ended it", async () => {
    const { channel, ended, wait } = await news();
    channel.on("error", ignored);
    const releases = [retain(channel), retain(channel)];
    releases[0]?.();
    await wait();
    expect(ended()).toBe(0);
    channel._end(new (await import("../src/core/errors.js")).EverwireError("forbidden"));
    const third = retain(channel);
    expect(channel.subscription).toBe("pending");
    releases[1]?.();
    third();
    await wait();
    expect([channel.subscription, ended()]).toEqual(["none", 1]);
  });
});

describe("chats that are opened one after the other", () => {
  it("take no more subscriptions than a session has: the one closed longest ago gives up its log", async () => {
    vi.useFakeTimers();
    const { client, core } = await running();
    const chat = createChat(client);
    const pinned = retainRoom(chat.room("pinned"));
    let most = 0;
    for (let n = 0; n < 400; n++) {
      const close = retainRoom(chat.room(`c${n}`));
      most = Math.max(most, core.places.size);
      close();
      await vi.advanceTimersByTimeAsync(RELEASE_MS + 10);
    }
    expect(most).toBeLessThanOrEqual(200);
    const subscription = (id: string) => chat.room(id).channel.subscription;
    expect(["pinned", "c399", "c300", "c0"].map(subscription)).toEqual([
      "pending",
      "pending",
      "pending",
      "none",
    ]);
    const again = retainRoom(chat.room("c0"));
    expect(subscription("c0")).toBe("pending");
    again();
    pinned();
    await vi.advanceTimersByTimeAsync(RELEASE_MS + 10);
  });

  it("respect the limit of the server, and what the application has opened", async () => {
    const { client, core } = await running();
    core.receive({
      type: "welcome",
      version: 1,
      features: [],
      session: "s",
      connection: "c",
      run: "r",
      user: "ann",
      server_time: 1,
      ping_interval_ms: 1,
      hold_ms: 1,
      limits: { payload_bytes: 1, batch_bytes: 1, batch_frames: 1, subscriptions: 20 },
    });
    const chat = createChat(client);
    chat
      .room("open")
      .open()
      .catch(() => {});
    for (let n = 0; n < 30; n++) {
      chat
        .room(`c${n}`)
        .open()
        .catch(() => {});
      await chat.room(`c${n}`).close();
      expect(core.places.size).toBeLessThanOrEqual(18);
    }
    expect(chat.room("open").channel.subscription).toBe("pending");
    await chat.room("c29").close({ keep: false });
    expect(chat.room("c29").channel.subscription).toBe("none");
  });
});

it("a member's new name reaches the list at once, and is not a join", async () => {
  const { client, core } = await running();
  const channel = client.channel("presence-room");
  const lists: (string | undefined)[][] = [];
  const joined: string[] = [];
  channel.on("members", (members: readonly Member[]) => lists.push(members.map(({ name }) => name)));
  channel.on("joined", ({ user }) => joined.push(user));
  channel.subscribe().catch(() => {});
  core.confirm("presence-room");
  const join = (name: string) =>
    core.receive({ type: "member_joined", channel: "presence-room", member: { user: "ann", name } });
  join("Ann");
  join("Ann");
  join("Anna");
  expect([lists, joined]).toEqual([[["Ann"], ["Anna"]], ["ann"]]);
});

describe("an http server for an https page", () => {
  it.each([
    ["https:", "http://chat.example", true],
    ["https:", "https://chat.example", false],
    ["https:", "http://localhost:8787", false],
    ["https:", "http://127.0.0.1:8787", false],
    ["http:", "http://chat.example", false],
  ])("is named in the reasons of failures: a page by %s, %s: %s", async (protocol, url, hint) => {
    vi.stubGlobal("location", { protocol, href: `${protocol}//page.example/` });
    const { core, client } = await running({ url });
    core.host.state({ status: "waiting", attempt: 1, retry_in_ms: 100, reason: "Failed to fetch" });
    expect(client.state.reason).toContain("Failed to fetch");
    expect(client.state.reason.includes("block http from this https page")).toBe(hint);
  });
});

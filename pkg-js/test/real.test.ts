// The built package with the real core, in Node, over HTTP polling to a server of a few lines. Browsers, WebSocket and the
// real server are tested in ../tests. Needs dist/, as dist.test.ts does.

import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import type * as Everwire from "../src/index.js";

const entry = fileURLToPath(new URL("../dist/index.js", import.meta.url));

type Frame = { type: string } & Record<string, unknown>;

const LIMITS = { payload_bytes: 32_768, batch_bytes: 65_536, batch_frames: 300, subscriptions: 256 };
const CONNECTION = "0199a1b2-c3d4-7000-8000-000000000002";

let server: Server | undefined;
let client: Everwire.Client | undefined;

afterEach(async () => {
  await client?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

/** One connection over polling: keeps logs in memory; `push` answers the poll that is being held. */
async function connected(
  options: Partial<Everwire.ConnectOptions> = {},
  atOnce: (client: Everwire.Client) => void = () => {},
) {
  const got: Frame[] = [];
  const waiting: unknown[] = [];
  let held: ((frames: unknown[]) => void) | undefined;
  let seq = 0;
  let offset = 0;
  const push = (...frames: unknown[]) => {
    waiting.push(...frames);
    if (held === undefined || waiting.length === 0) return;
    held([{ type: "polled", seq: ++seq }, ...waiting.splice(0)]);
    held = undefined;
  };
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const answer = (frames: unknown[]) => response.end(JSON.stringify(frames));
      const frames = JSON.parse(body) as Frame[];
      got.push(...frames);
      const poll = frames.find((frame) => frame.type === "poll");
      const out: unknown[] = [];
      for (const frame of frames) {
        if (frame.type === "hello" && poll !== undefined && poll.connection === undefined) {
          const { session } = frame;
          const head = {
            version: 1,
            features: [],
            session,
            connection: CONNECTION,
            run: "r1",
            user: "u1",
            server_time: 1,
          };
          out.push({ type: "welcome", ...head, ping_interval_ms: 25_000, hold_ms: 25_000, limits: LIMITS });
        } else if (frame.type === "subscribe" && frame.epoch === undefined) {
          const own_mark = { delivered: 0, read: 0 };
          out.push({ type: "subscribed", channel: frame.channel, epoch: "e", offset: 0, head: 0, own_mark });
        } else if (frame.type === "send") {
          const { id, channel, data } = frame;
          const at = ++offset;
          answer([{ type: "ack", id, channel, offset: at, at: 7 }]);
          push({ type: "message", channel, offset: at, id, user: "u1", at: 7, data });
          return;
        }
      }
      if (poll === undefined) {
        answer([]);
        return;
      }
      held = answer;
      push(...out);
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const { connect }: typeof Everwire = await import(/* @vite-ignore */ entry);
  client = connect({ url: `http://127.0.0.1:${port}`, transports: ["polling"], ...options });
  atOnce(client);
  return { client, got, push };
}

const message = (offset: number, channel = "news") => ({
  ...{ type: "message", channel, offset, id: "0199a1b2-c3d4-7000-8000-000000000003" },
  ...{ user: "u", at: 1, data: null },
});

const messages = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => message(from + at));

describe.skipIf(!existsSync(entry))("the built package with the real core", () => {
  it("connects, receives its own message once, and closes", async () => {
    const { client, got } = await connected();
    const channel = client.channel<{ message: string }>("news");
    const seen: unknown[] = [];
    channel.on("message", ({ data, offset }) => seen.push([data, offset, channel.position]));
    expect(await channel.subscribe()).toMatchObject({ epoch: "e", offset: 0, head: 0 });
    const sending = channel.send("hello");
    expect(await sending).toEqual({ id: sending.id, offset: 1, at: 7 });
    await vi.waitFor(() => expect(seen).toEqual([["hello", 1, { epoch: "e", offset: 1, run: "r1" }]]));
    expect(client.state).toMatchObject({ status: "connected", transport: "polling" });
    expect(client.user).toBe("u1");
    expect(client.report()).toContain("welcome");
    await client.close();
    expect(client.state.status).toBe("closed");
    await vi.waitFor(() => expect(got.at(-1)?.type).toBe("bye"));
    expect(client.report()).toContain("welcome");
  });

  it("sends earlier calls in its first batch", async () => {
    const { client, got } = await connected({}, (made) => void made.channel("news").subscribe());
    await client.channel("news").subscribe();
    expect(got.slice(0, 3).map((frame) => frame.type)).toEqual(["hello", "poll", "subscribe"]);
  });

  it("drops duplicates, and survives invalid data", async () => {
    const { client, push } = await connected();
    const errors: string[] = [];
    client.on("error", ({ code }) => errors.push(code));
    const channel = client.channel("news");
    const seen: unknown[] = [];
    channel.on("message", ({ offset }) => seen.push(offset));
    await channel.subscribe();
    push(
      message(1),
      message(1),
      null,
      7,
      { type: "message" },
      { type: "user_typing" },
      message(2),
      message(1),
    );
    await vi.waitFor(() => expect(seen).toEqual([1, 2]));
    expect(client.state.status).toBe("connected");
    expect(errors.every((code) => code === "protocol_violation")).toBe(true);
  });

  describe("in the middle of a batch", () => {
    /** A subscribed channel; `act` is called with each message's offset. What arrived, and the marks that were sent. */
    async function reading(
      act: (offset: number, channel: Everwire.Channel, client: Everwire.Client) => void,
    ) {
      const { client, got, push } = await connected();
      const channel = client.channel("news");
      const seen: number[] = [];
      channel.on("message", ({ offset }) => {
        seen.push(offset);
        act(offset, channel, client);
      });
      await channel.subscribe();
      const marks = () => got.filter(({ type }) => type === "mark").map(({ delivered }) => delivered);
      return { client, channel, seen, push, got, marks };
    }

    it("delivers nothing more after `unsubscribe`, and marks only what was delivered", async () => {
      const { push, seen, marks } = await reading((offset, channel) => {
        if (offset === 4) void channel.unsubscribe();
      });
      push(...messages(1, 9));
      await vi.waitFor(() => expect(marks()).toEqual([4]));
      expect(seen).toEqual([1, 2, 3, 4]);
    });

    it("delivers nothing more after `close`, and marks only what was delivered", async () => {
      const { push, seen, marks } = await reading((offset, _, client) => {
        if (offset === 4) void client.close();
      });
      push(...messages(1, 9));
      await vi.waitFor(() => expect(marks()).toEqual([4]));
      expect(seen).toEqual([1, 2, 3, 4]);
    });

    it("goes on after a listener has thrown or called the client", async () => {
      const reported = vi.fn();
      vi.stubGlobal("reportError", reported);
      const { push, seen, channel, marks } = await reading((offset, channel) => {
        if (offset === 3) throw new Error("mine");
        if (offset === 5) channel.typing();
        if (offset === 6) channel.markRead();
      });
      push(...messages(1, 9));
      await vi.waitFor(() => expect(marks()).toEqual([9]), 5_000);
      vi.unstubAllGlobals();
      expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(reported).toHaveBeenCalledOnce();
      expect(channel.position?.offset).toBe(9);
    });

    it("delivers to the new subscription only what it asked for", async () => {
      const { push, seen, got } = await reading((offset, channel) => {
        if (offset !== 4) return;
        void channel.unsubscribe();
        void channel.subscribe({ position: { epoch: "e", offset: 4 } });
      });
      push(...messages(1, 9));
      const asked = () => got.filter(({ type, offset }) => type === "subscribe" && offset === 4);
      await vi.waitFor(() => expect(asked()).not.toEqual([]));
      expect(seen).toEqual([1, 2, 3, 4]);
      push({ type: "subscribed", channel: "news", epoch: "e", offset: 4, head: 9 }, ...messages(5, 9));
      await vi.waitFor(() => expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]));
    });

    it("takes other frames, other channels, copies and invalid frames as what they are", async () => {
      const { client, push, seen } = await reading(() => {});
      const order: string[] = [];
      client.on("error", ({ code }) => order.push(code));
      client.on("signal", ({ event }) => order.push(event));
      const other = client.channel("other");
      other.on("message", ({ offset }) => seen.push(-offset));
      await other.subscribe();
      const signal = { type: "signalled", event: "ring", data: 1, at: 1 };
      push(
        ...[...messages(1, 3), signal, message(1, "other"), ...messages(3, 5), message(2, "other")],
        ...[message(3, "other"), ...messages(4, 7), { type: "tiptoe" }, ...messages(8, 9)],
      );
      await vi.waitFor(() => expect(seen).toEqual([1, 2, 3, -1, 4, 5, -2, -3, 6, 7, 8, 9]));
      push(...messages(10, 11), { ...message(12), user: 7 }, ...messages(12, 13));
      await vi.waitFor(() => expect(order).toEqual(["ring", "protocol_violation"]));
      // The position has moved past the one that cannot be read, so the copy that can comes too late.
      expect(seen.slice(12)).toEqual([10, 11, 13]);
    });

    it("asks again for what follows a hole", async () => {
      const { client, push, seen, got } = await reading(() => {});
      client.on("error", () => {});
      push(...messages(1, 3), ...messages(5, 7));
      const asked = () => got.filter(({ type, offset }) => type === "subscribe" && offset === 3);
      await vi.waitFor(() => expect(asked()).not.toEqual([]), 5_000);
      expect(seen).toEqual([1, 2, 3]);
    });
  });

  it("gives the core's own errors their code", async () => {
    const { client } = await connected();
    await expect(client.channel("news").send("x".repeat(40_000))).rejects.toMatchObject({
      code: "too_large",
    });
  });

  it("stops for good when the server bans the user", async () => {
    const { client, push } = await connected({ token: () => "good" });
    client.on("error", () => {});
    await client.channel("news").subscribe();
    push({ type: "error", code: "banned", message: "Go away.", retry: false });
    await vi.waitFor(() => expect(client.state.status).toBe("closed"));
    expect(client.state).toMatchObject({ error: { code: "banned", retry: false } });
    await expect(client.channel("news").send(1)).rejects.toMatchObject({ code: "closed" });
  });
});

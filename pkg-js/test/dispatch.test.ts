// Dispatch: the golden vectors of the protocol, and invalid data of every kind, which must become violations and nothing else.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { message, type ScriptedCore, scripted } from "./scripted-core.js";

interface Vector {
  name: string;
  direction: "client" | "server";
  text?: string;
  parts?: { text: string; times: number }[];
  frames: Record<string, unknown>[];
  ignored?: number[];
  error?: { code: string; frame?: number };
}

const vectors: { valid: Vector[]; invalid: Vector[] } = JSON.parse(
  readFileSync(new URL("../../protocol/generated/vectors.json", import.meta.url), "utf8"),
);
const fromServer = (vector: Vector) => vector.direction === "server";
const textOf = ({ text, parts = [] }: Vector) =>
  text ?? parts.map((part) => part.text.repeat(part.times)).join("");

/** The expected calls of the core for these frames; entries and members, which the channel gets, under `got`. */
function expected(frames: Record<string, unknown>[], handle: (channel: unknown) => number) {
  // A pong is only a sign of life.
  const relevant = frames.filter((frame) => frame.type !== "pong");
  return relevant.flatMap((frame): unknown[][] => {
    const on = handle(frame.channel);
    switch (frame.type) {
      case "welcome": {
        const limits = frame.limits as Record<string, unknown>;
        return [
          [
            "welcome",
            frame.connection,
            frame.run,
            frame.user,
            frame.ping_interval_ms,
            frame.hold_ms,
            frame.token_expires_in_ms,
            limits.payload_bytes,
            limits.batch_bytes,
            limits.batch_frames,
          ],
        ];
      }
      case "subscribed": {
        const gap = frame.gap as Record<string, unknown> | undefined;
        const told = ["subscribedFrame", on, frame.epoch, frame.offset, frame.head, gap?.from, gap?.reason];
        if (on < 0) return [];
        const own = frame.own_mark as Record<string, unknown> | undefined;
        return own === undefined ? [told] : [told, ["ownReceipt", on, own.delivered, own.read]];
      }
      case "unsubscribed":
        return [
          ["unsubscribedFrame", on > 0 ? on : undefined, frame.channel, frame.code, frame.retry_after_ms],
        ];
      case "message":
        return [["accept", on, frame.offset]];
      case "ack":
        return [["ack", frame.id]];
      case "error":
        return [["refused", frame.code, frame.message, frame.retry, frame.id, frame.retry_after_ms]];
      case "user_typing":
        if (on > 0)
          return [
            ["live", on],
            ["userTyping", on, 0, frame.typing],
          ];
        return [];
      case "member_joined":
      case "member_left":
      case "signalled":
      case "receipt":
      case "status_changed":
      case "activity":
      case "chat_changed":
      case "chat_gone":
        return on > 0 ? [["live", on]] : [];
      case "done":
      case "history_page":
      case "chats":
      case "chat_members":
      case "members":
      case "receipts":
      case "statuses":
        return [["answered", frame.id]];
      case "polled":
        return [["polled", frame.seq, frame.connection]];
      case "token_accepted":
        return [["tokenAccepted", frame.expires_in_ms]];
      case "ping":
        return [["ping", frame.nonce]];
      case "goaway":
        return [["goaway", frame.delay_ms, frame.spread_ms, frame.reason]];
      default:
        throw new Error(`the vectors have the type ${String(frame.type)}, which this test does not know`);
    }
  });
}

const CHANNELS = [
  ...new Set(
    [...vectors.valid, ...vectors.invalid]
      .filter(fromServer)
      .flatMap(({ frames }) => frames.map(({ channel }) => channel))
      .filter((name) => typeof name === "string"),
  ),
];

/** A client that is subscribed to the channels of the vectors, and what its core is called with from now on. */
async function subscribed() {
  const { client, loaded } = scripted();
  client._start();
  const core = await loaded();
  for (const name of CHANNELS) {
    void client.channel(name).subscribe();
    core.confirm(name);
  }
  core.calls.length = 0;
  return { client, core, handle: (channel: unknown) => CHANNELS.indexOf(channel as string) + 1 || -1 };
}

describe("golden vectors", () => {
  it.each(vectors.valid.filter(fromServer).map((vector) => [vector.name, vector] as const))(
    "%s",
    async (_, vector) => {
      const { core, handle } = await subscribed();
      core.host.batch(JSON.parse(textOf(vector)));
      // Requests of further pages have tests of their own.
      const calls = core.calls.filter(([method]) => method !== "request");
      // The core gets the reason of a gap as it is, and knows what it does not know.
      const known = calls.map((call) => call.map((value) => (value === "bored" ? "trimmed" : value)));
      expect(known).toEqual(expected(vector.frames, handle));
    },
  );

  it.each(vectors.invalid.filter(fromServer).map((vector) => [vector.name, vector] as const))(
    "refused: %s",
    async (_, vector) => {
      const { core, handle } = await subscribed();
      core.host.batch(JSON.parse(textOf(vector)));
      // The position moves past a message that cannot be read, and no vector has another one beside it.
      const isBad = ([method]: readonly unknown[]) => method === "violation" || method === "accept";
      const [bad, good] = [core.calls.filter(isBad), core.calls];
      expect(bad).toHaveLength(1);
      expect(good.filter((call) => !bad.includes(call))).toEqual(expected(vector.frames, handle));
    },
  );

  it("there are some of each", () => {
    expect(vectors.valid.filter(fromServer).length).toBeGreaterThan(15);
    expect(vectors.invalid.filter(fromServer).length).toBeGreaterThan(2);
  });
});

describe("an error about a channel", () => {
  it("reaches the core as one about none does: it informs only", async () => {
    const { core } = await subscribed();
    const error = { type: "error", code: "forbidden", message: "No.", retry: false };
    core.receive(error, { ...error, channel: "other" }, { ...error, channel: "news" });
    expect(core.of("refused")).toHaveLength(3);
    expect(new Set(core.of("refused").map((args) => JSON.stringify(args))).size).toBe(1);
  });
});

describe("invalid data", () => {
  const violations = (core: ScriptedCore) => core.of("violation").map(([text]) => text);

  it.each([[null], [7], ["text"], [{}], [{ length: 1, 0: { type: "ping" } }], [undefined]])(
    "instead of a batch (%j) is a violation",
    async (batch) => {
      const { core } = await subscribed();
      core.host.batch(batch);
      expect(core.calls).toEqual([["violation", "the batch is not an array"]]);
    },
  );

  it.each([[null], [7], ["ping"], [[]], [{}], [{ type: 7 }], [{ type: null }], [true], [undefined]])(
    "instead of a frame (%j) is a violation, and its neighbours count",
    async (frame) => {
      const { core } = await subscribed();
      core.host.batch([{ type: "ping", nonce: 1 }, frame, { type: "ping", nonce: 2 }]);
      expect(core.calls).toEqual([
        ["ping", 1],
        ["violation", "a frame has no type"],
        ["ping", 2],
      ]);
    },
  );

  it("types that are names of Object's properties are only unknown types", async () => {
    const { core } = await subscribed();
    core.receive({ type: "constructor" }, { type: "toString" }, { type: "__proto__" }, { type: "tiptoe" });
    expect(core.calls).toEqual([]);
  });

  it.each([
    ["none", undefined],
    ["negative", -1],
    ["a fraction", 1.5],
    ["too big", 2 ** 53],
    ["text", "1"],
    ["null", null],
    ["an object", {}],
  ])("an offset that is %s is a violation", async (_, offset) => {
    const { client, core } = await subscribed();
    const got: unknown[] = [];
    client.channel("news").on("message", (m) => got.push(m));
    core.receive({ ...message("news", 1), offset });
    expect(violations(core)).toEqual(["invalid field offset of a message frame"]);
    expect([core.of("accept"), got]).toEqual([[], []]);
  });

  // Every field of every type, replaced by values of other types: never a throw, always a violation or the call.
  const samples = new Map<unknown, Record<string, unknown>>();
  for (const frame of vectors.valid.filter(fromServer).flatMap((vector) => vector.frames)) {
    samples.set(frame.type, { ...samples.get(frame.type), ...frame });
  }
  const junk = [null, -1, 1e308, "", "x", true, [], [7], {}, { user: 7 }, [{ user: null }], [[]]];

  it.each([...samples.keys()].map((type) => [String(type)]))(
    "in the fields of %s never gets to the core as a wrong type",
    async (type) => {
      const { client, core } = await subscribed();
      const sample = samples.get(type) ?? {};
      for (const field of Object.keys(sample).filter((name) => name !== "type")) {
        for (const value of junk) core.host.batch([{ ...sample, [field]: value }]);
      }
      expect(client.state.status).not.toBe("closed");
      for (const [method, ...args] of core.calls) {
        // What is asked for in turn is text; the scripted core has parsed it.
        for (const arg of args.filter((_, at) => method !== "request" || at !== 1)) {
          const kind = typeof arg;
          expect(["string", "number", "boolean", "undefined"], `${method} ${String(arg)}`).toContain(kind);
          if (kind === "number") expect(Number.isSafeInteger(arg), method).toBe(true);
        }
      }
      expect(violations(core).length).toBeGreaterThan(0);
    },
  );

  it("null for an optional field is read as absent", async () => {
    const { core } = await subscribed();
    core.receive({ type: "ping", nonce: null }, { type: "unsubscribed", channel: "news", code: null });
    expect(core.calls).toEqual([
      ["ping", undefined],
      ["unsubscribedFrame", CHANNELS.indexOf("news") + 1, "news", undefined, undefined],
    ]);
  });
});

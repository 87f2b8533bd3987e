// The core as the client sees it, over a class like the one that wasm-bindgen generates: named arguments go into their
// registers and come out of them, and each operation and call has the number that the generated tables say.

import { describe, expect, it, vi } from "vitest";
import {
  type Core,
  type Handle,
  HOST_CALLS,
  type Host,
  NUMBERS,
  OPERATIONS,
} from "../src/generated/bindings.js";
import { createCore, type RawCore, type RawHost, type Register } from "../src/wasm/create-core.js";

const number = (table: readonly string[], name: string) =>
  table.findIndex((line) => line.startsWith(`${name}:`));

function made(onBatch: (frames: unknown) => void = () => {}) {
  const told: unknown[][] = [];
  const host = new Proxy({} as Host, {
    get:
      (_, name) =>
      (...args: unknown[]) => {
        told.push([name, ...args]);
        if (name === "batch") onBatch(args[0]);
      },
  });
  const calls: unknown[][] = [];
  const answer = vi.fn<() => unknown>();
  const browserEvent = vi.fn();
  const constructed: { host: RawHost; registers: Register[] }[] = [];
  class Raw implements RawCore {
    constructor(host: RawHost, ...registers: Register[]) {
      constructed.push({ host, registers });
    }
    accept = (...args: [handle: number, offset: number, count: number]) => {
      calls.push(["accept", ...args]);
      return args[1] > args[0];
    };
    free = () => void calls.push(["free"]);
    browser_event = browserEvent;
    call = (...args: unknown[]) => {
      calls.push(args);
      return answer();
    };
  }
  const core = new (createCore(Raw))(host, {
    url: "https://x",
    session: "s",
    guest_user: "u",
    tokens: 2,
    websocket: true,
    polling: false,
    debug: false,
    hidden: false,
    online: true,
  });
  const [{ host: raw, registers } = { host: {} as RawHost, registers: [] }] = constructed;
  const tell = (name: string, numbers: number[], texts: (string | undefined)[]) =>
    raw.call(
      number(HOST_CALLS, name),
      ...Array.from({ length: 4 }, (_, at) => numbers[at] ?? -1),
      ...Array.from({ length: 3 }, (_, at) => texts[at]),
    );
  return { core, raw, registers, told, tell, calls, answer, browserEvent };
}

const none = undefined;
const handle = 7 as Handle;

describe("the core", () => {
  it("is created with its options", () => {
    expect(made().registers).toEqual([2, true, false, false, false, true, "https://x", "s", "u", none]);
  });

  it.each<[string, (core: Core) => unknown, Register[], Register[]]>([
    ["start", (core) => core.start(), [], []],
    ["subscribe", (core) => core.subscribe({ channel: "c", undelivered: false }), [none, none, false], ["c"]],
    [
      "subscribe",
      (core) => core.subscribe({ offset: 0, epoch: "e", undelivered: true, channel: "c", recent: 5 }),
      [5, 0, true],
      ["c", "e"],
    ],
    ["unsubscribe", (core) => core.unsubscribe({ handle }), [handle], []],
    [
      "send",
      (core) => core.send({ frame: "{}", channel: "c", restored: false, id: "i" }),
      [false],
      ["i", "c", "{}"],
    ],
    ["mark", (core) => core.mark({ handle, read: 5 }), [handle, none, 5], []],
    [
      "refused",
      (core) => core.refused({ code: "banned", message: "No.", retry: false, retry_after_ms: 100 }),
      [false, 100],
      ["banned", "No.", none],
    ],
  ])("is asked to %s", (name, act, numbers, texts) => {
    const { core, calls } = made();
    act(core);
    const empty = (size: number, values: Register[]) => Array.from({ length: size }, (_, at) => values[at]);
    expect(calls).toEqual([
      [number(OPERATIONS, name), ...empty(NUMBERS, numbers), ...empty(4, texts)].slice(0, calls[0]?.length),
    ]);
  });

  it("reads null in a frame as absent", () => {
    const { core, calls } = made();
    core.ping({ nonce: null as unknown as undefined });
    expect(calls[0]?.[1]).toBe(none);
  });

  it("returns answers, and throws what the core throws", () => {
    const { core, answer } = made();
    answer.mockReturnValueOnce(12).mockReturnValueOnce(true).mockReturnValueOnce("the log");
    expect(core.subscribe({ channel: "c", undelivered: false })).toBe(12);
    expect(core.live({ handle })).toBe(true);
    expect(core.report()).toBe("the log");
    answer.mockImplementation(() => {
      throw "queue_full";
    });
    const thrown = (act: () => void): unknown => {
      try {
        act();
      } catch (error) {
        return error;
      }
      return undefined;
    };
    expect(thrown(() => core.sendEphemeral({ frame: "{}" }))).toEqual({ code: "queue_full" });
    const broken = new Error("unreachable");
    answer.mockImplementation(() => {
      throw broken;
    });
    expect(thrown(() => core.start())).toBe(broken);
  });

  describe("is asked once about a stretch of entries", () => {
    const other = 3 as Handle;
    const entries = (core: Core, of: Handle, ...offsets: number[]) =>
      offsets.map((offset) => core.accept(of, offset));

    it("and hears of those that followed when the batch ends", () => {
      const { core, raw, calls, told } = made((batch) => entries(core, handle, ...(batch as number[])));
      raw.batch([8, 9, 10, 11]);
      expect(calls).toEqual([
        ["accept", 7, 8, 1],
        ["accept", 7, 9, 3],
      ]);
      raw.batch([12]);
      expect(calls.slice(2)).toEqual([["accept", 7, 12, 1]]);
      expect(told).toEqual([
        ["batch", [8, 9, 10, 11]],
        ["batch", [12]],
      ]);
    });

    it("and hears of them before any operation, which ends the stretch", () => {
      const { core, calls } = made();
      entries(core, handle, 8, 9, 10);
      core.unsubscribe({ handle });
      entries(core, handle, 11);
      expect(calls.map((call) => call.slice(0, 4))).toEqual([
        ["accept", 7, 8, 1],
        ["accept", 7, 9, 2],
        [number(OPERATIONS, "unsubscribe"), 7, none, none],
        ["accept", 7, 11, 1],
      ]);
    });

    it("and hears of them before any browser event", () => {
      const { core, raw, calls, browserEvent } = made();
      browserEvent.mockImplementation(() => void calls.push(["event"]));
      entries(core, handle, 8, 9);
      raw.handler(3, 8)("event");
      entries(core, handle, 10);
      expect(calls).toEqual([["accept", 7, 8, 1], ["accept", 7, 9, 1], ["event"], ["accept", 7, 10, 1]]);
    });

    it("in one channel, and again about what does not follow", () => {
      const { core, calls } = made();
      expect(entries(core, handle, 8, 9)).toEqual([true, true]);
      expect(entries(core, other, 10)).toEqual([true]);
      // A copy, a hole, and the position that an entry before the first would have.
      expect(entries(core, handle, 10, 10, 12, 6, -1, 0)).toEqual([true, true, true, false, false, false]);
      expect(calls).toEqual([
        ["accept", 7, 8, 1],
        ["accept", 7, 9, 1],
        ["accept", 3, 10, 1],
        ["accept", 7, 10, 1],
        ["accept", 7, 10, 1],
        ["accept", 7, 12, 1],
        ["accept", 7, 6, 1],
        ["accept", 7, -1, 1],
        ["accept", 7, 0, 1],
      ]);
    });

    it("and again after one that it refused", () => {
      const { core, calls } = made();
      expect(entries(core, handle, 6, 7, 8, 9)).toEqual([false, false, true, true]);
      core.start();
      expect(calls.filter(([name]) => name === "accept").map(([, , ...rest]) => rest)).toEqual([
        [6, 1],
        [7, 1],
        [8, 1],
        [9, 1],
      ]);
    });
  });

  it("calls its host", () => {
    const { raw, told, tell } = made();
    tell("state", [1, 1, 0], [none, "welcome"]);
    tell("state", [2, -1, 3, 700], [none, "lost"]);
    tell("state", [4, -1, 0], ["banned", "out"]);
    tell("sending", [2], ["i", "forbidden", "-1 is no number here"]);
    tell("typingExpired", [1, 0], []);
    tell("fetchToken", [], []);
    raw.batch([1]);
    expect(told).toEqual([
      ["state", { status: "connected", transport: "polling", attempt: 0, reason: "welcome" }],
      ["state", { status: "waiting", attempt: 3, retry_in_ms: 700, reason: "lost" }],
      ["state", { status: "closed", attempt: 0, code: "banned", reason: "out" }],
      ["sending", { id: "i", status: "failed", code: "forbidden", message: "-1 is no number here" }],
      ["typingExpired", { handle: 1, typist: 0 }],
      ["fetchToken", {}],
      ["batch", [1]],
    ]);
  });

  it("receives browser events until it is freed", () => {
    const { core, raw, browserEvent, calls } = made();
    const handler = raw.handler(3, 8);
    handler("event");
    core.free();
    handler("late");
    expect(browserEvent.mock.calls).toEqual([[3, 8, "event"]]);
    expect(calls).toEqual([["free"]]);
  });

  it("reports a trap to the host", () => {
    const { raw, browserEvent, told } = made();
    const error = new Error("unreachable");
    browserEvent.mockImplementation(() => {
      throw error;
    });
    raw.handler(0, 0)(none);
    expect(told).toEqual([["broken", error]]);
  });
});

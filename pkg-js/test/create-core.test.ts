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

function made() {
  const told: unknown[][] = [];
  const host = new Proxy({} as Host, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        void told.push([name, ...args]),
  });
  const calls: unknown[][] = [];
  const answer = vi.fn<() => unknown>();
  const browserEvent = vi.fn();
  const constructed: { host: RawHost; registers: Register[] }[] = [];
  class Raw implements RawCore {
    constructor(host: RawHost, ...registers: Register[]) {
      constructed.push({ host, registers });
    }
    accept = (handle: number, offset: number) => offset > handle;
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
    has_token: true,
    constant_token: false,
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
    expect(made().registers).toEqual([
      true,
      false,
      true,
      false,
      false,
      false,
      true,
      "https://x",
      "s",
      "u",
      none,
    ]);
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

  it("is asked about entries without a detour", () => {
    const { core } = made();
    expect([core.accept(handle, 8), core.accept(handle, 6)]).toEqual([true, false]);
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

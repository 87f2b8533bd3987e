// The createCore of the core: every call becomes the right numbers and texts, and everything that it tells the right call.

import { describe, expect, it, vi } from "vitest";
import type { Core, Host } from "../src/wasm/bindings.js";
import { createCore, Operation, type RawCore, type RawHost, Told } from "../src/wasm/create-core.js";

function dressed() {
  const told: unknown[][] = [];
  const host = new Proxy({} as Host, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        void told.push([name, ...args]),
  });
  const calls: unknown[][] = [];
  const answers: number[] = [];
  let made: { host: RawHost; args: unknown[] } | undefined;
  const happened = vi.fn();
  class Raw implements RawCore {
    constructor(host: RawHost, ...args: unknown[]) {
      made = { host, args };
    }
    accept = () => true;
    free = () => void calls.push(["free"]);
    happened = happened;
    call = (...args: unknown[]) => {
      calls.push(args);
      return answers.shift() ?? 0;
    };
  }
  const core = new (createCore(Raw))(host, {
    url: "https://x",
    session: "s",
    guestUser: "u",
    guestName: undefined,
    hasToken: true,
    websocket: true,
    polling: false,
    debug: false,
  });
  if (made === undefined) throw new Error("the core was not made");
  return { core, raw: made.host, args: made.args, told, calls, answers, happened };
}

const none = undefined;
const empty = [-1, -1, -1, -1];

describe("the dressed core", () => {
  it("hands its options on in their order, and says that a page without a document is visible and online", () => {
    expect(dressed().args).toEqual(["https://x", "s", "u", none, true, true, false, false, false, true]);
  });

  it.each<[string, (core: Core) => unknown, unknown[]]>([
    ["start", (core) => core.start(), [Operation.Start, -1, -1, -1, -1, -1]],
    ["close", (core) => core.close(), [Operation.Close, -1, -1, -1, -1, -1]],
    [
      "subscribe, from the end",
      (core) => core.subscribe("c", none, none, none, false),
      [Operation.Subscribe, -1, -1, false, -1, -1, "c"],
    ],
    [
      "subscribe, at a position",
      (core) => core.subscribe("c", 5, "e", 0, true),
      [Operation.Subscribe, 5, 0, true, -1, -1, "c", "e"],
    ],
    ["unsubscribe", (core) => core.unsubscribe(7), [Operation.Unsubscribe, 7, -1, -1, -1, -1]],
    [
      "send",
      (core) => core.send("i", "c", "{}", false),
      [Operation.Send, false, ...empty, "i", "c", none, "{}"],
    ],
    ["a request", (core) => core.ask("{}", 500, "i"), [Operation.Ask, 500, ...empty, "i", none, none, "{}"]],
    [
      "what is gone when missed",
      (core) => core.ask("{}", 0),
      [Operation.Ask, 0, ...empty, none, none, none, "{}"],
    ],
    ["what holds", (core) => core.ask("{}"), [Operation.Ask, -1, ...empty, none, none, none, "{}"]],
    ["answered", (core) => core.answered("i"), [Operation.Answered, -1, -1, -1, -1, -1, "i"]],
    ["typing", (core) => core.typing(3, true), [Operation.Typing, 3, true, -1, -1, -1]],
    ["heard", (core) => core.heard(3, 4, false), [Operation.HeardTyping, 3, 4, false, -1, -1]],
    ["mark", (core) => core.mark(3, 4, 5), [Operation.Mark, 3, 4, 5, -1, -1]],
    ["marked", (core) => core.marked(3, 4, 5), [Operation.Marked, 3, 4, 5, -1, -1]],
    [
      "welcome",
      (core) => core.welcome("c", "u", 1, 2, 3, 4, 5),
      [Operation.Welcome, 1, 2, 3, 4, 5, "c", "u"],
    ],
    ["polled", (core) => core.polled(9), [Operation.Polled, 9, -1, -1, -1, -1]],
    [
      "subscribed",
      (core) => core.subscribed(1, "e", 2, 3, 4, "trimmed"),
      [Operation.Subscribed, 1, 2, 3, 4, -1, "e", "trimmed"],
    ],
    [
      "unsubscribed",
      (core) => core.unsubscribed(1, "c", "forbidden", "No."),
      [Operation.Unsubscribed, 1, -1, -1, -1, -1, "c", "forbidden", "No."],
    ],
    ["ack", (core) => core.ack("i", 4, 5), [Operation.Ack, 4, 5, -1, -1, -1, "i"]],
    [
      "refused",
      (core) => core.refused("banned", "No.", true, "i", -2, 100),
      [Operation.Refused, true, -2, 100, -1, -1, "banned", "No.", "i"],
    ],
    ["ping", (core) => core.ping(3), [Operation.Ping, 3, -1, -1, -1, -1]],
    ["goaway", (core) => core.goaway(1, 2, "r"), [Operation.Goaway, 1, 2, -1, -1, -1, "r"]],
    ["violation", (core) => core.violation("m"), [Operation.Violation, -1, -1, -1, -1, -1, "m"]],
    ["token", (core) => core.token("t"), [Operation.Token, -1, -1, -1, -1, -1, "t"]],
    ["token_failed", (core) => core.token_failed("m"), [Operation.TokenFailed, -1, -1, -1, -1, -1, "m"]],
  ])("calls %s", (_, act, [operation, ...rest]) => {
    const { core, calls } = dressed();
    act(core);
    expect(calls).toEqual([[operation, ...rest]]);
  });

  it("answers with numbers", () => {
    const { core, answers } = dressed();
    answers.push(12, 1, 0, 1, 0);
    expect(core.subscribe("c", none, none, none, false)).toBe(12);
    expect([core.live(1), core.live(2)]).toEqual([1, 0]);
    expect([core.subscribed(1, "e", 0, 0, none, none), core.subscribed(1, "e", 0, 0, none, none)]).toEqual([
      1, 0,
    ]);
  });

  it("throws what it was answered in words", () => {
    const { core, raw, answers } = dressed();
    for (const act of [
      () => core.subscribe("c", none, none, none, false),
      () => core.send("i", "c", "1", false),
    ]) {
      raw.tell(Told.Answer, 0, 0, 0, 0, "queue_full", "Full.", none);
      answers.push(-1);
      expect(act).toThrow(expect.objectContaining({ code: "queue_full", message: "Full." }));
    }
  });

  it("gives the report that it was answered", () => {
    const { core, raw } = dressed();
    raw.tell(Told.Answer, 0, 0, 0, 0, "journal", "", none);
    expect(core.report()).toBe("journal");
  });

  it("tells the host", () => {
    const { raw, told } = dressed();
    raw.tell(Told.State, 2, 0, 3, 700, none, "lost", none);
    raw.tell(Told.State, 4, 0, 0, -1, "banned", "out", none);
    raw.tell(Told.Subscribed, 1, 2, 3, 1, "e", none, none);
    raw.tell(Told.Gap, 1, 2, 3, 0, "trimmed", none, none);
    raw.tell(Told.Ended, 1, 0, 0, 0, "forbidden", "No.", none);
    raw.tell(Told.Sending, 2, 5, 6, 0, "i", none, none);
    raw.tell(Told.Sending, 3, -1, -1, 0, "i", "forbidden", "No.");
    raw.tell(Told.FetchToken, 0, 0, 0, 0, none, none, none);
    raw.tell(Told.Error, 0, 0, 0, 0, "token_failed", "m", none);
    raw.tell(Told.Log, 0, 0, 0, 0, "line", none, none);
    raw.batch([1]);
    expect(told).toEqual([
      ["state", 2, 0, 3, 700, none, "lost"],
      ["state", 4, 0, 0, -1, "banned", "out"],
      ["subscribed", 1, "e", 2, 3, 1],
      ["gap", 1, 2, 3, "trimmed"],
      ["ended", 1, "forbidden", "No."],
      ["sending", "i", 2, 5, 6, none, none],
      ["sending", "i", 3, -1, -1, "forbidden", "No."],
      ["fetchToken"],
      ["error", "token_failed", "m"],
      ["log", "line"],
      ["batch", [1]],
    ]);
  });

  it("hands on what happens in the browser, until it is freed", () => {
    const { core, raw, happened, calls } = dressed();
    const handler = raw.handler(3, 8);
    handler("event");
    core.free();
    handler("late");
    expect(happened.mock.calls).toEqual([[3, 8, "event"]]);
    expect(calls).toEqual([["free"]]);
  });

  it("tells the host when it breaks in there", () => {
    const { raw, happened, told } = dressed();
    const error = new Error("unreachable");
    happened.mockImplementation(() => {
      throw error;
    });
    raw.handler(0, 0)(none);
    expect(told).toEqual([["broken", error]]);
  });
});

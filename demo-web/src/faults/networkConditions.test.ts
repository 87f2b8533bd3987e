// Lasting faults: what the client observes on a slow, lossy or silent network, with sockets that are killed, and on a
// frozen page.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { retransmissionDelay } from "./delayedStream";
import { FakeCloseEvent, FakePage, FakeSocket, recordEvents } from "./fakePage";
import { FaultLayer } from "./faultLayer";
import { activeFaults, NO_FAULTS } from "./faultState";

let page: FakePage;
let layer: FaultLayer;
/** The next random numbers; 1 (nothing is lost) after the last one. */
let randoms: number[];

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  randoms = [];
  page = new FakePage();
  layer = new FaultLayer(() => randoms.shift() ?? 1);
  layer.install(page);
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function made(): { socket: WebSocket; native: FakeSocket; seen: string[] } {
  const socket = new page.WebSocket("ws://host/everwire/v1/ws");
  const native = FakeSocket.made.at(-1);
  if (!native) throw new Error("no socket was made");
  return { socket, native, seen: recordEvents(socket) };
}

function connected() {
  const all = made();
  all.native.open();
  return all;
}

/** The outcome of a promise so far. */
function outcomeOf(promise: Promise<unknown>): string[] {
  const outcome: string[] = [];
  promise.then(
    () => outcome.push("answered"),
    (error: Error) => outcome.push(error.message),
  );
  return outcome;
}

describe("latency", () => {
  it("delays both directions of a socket, its opening by a round trip, and keeps the order", async () => {
    layer.delay(100);
    const { socket, native, seen } = made();
    native.open();
    native.receive("right behind");
    expect(socket.readyState).toBe(page.WebSocket.CONNECTING);
    expect(() => socket.send("early")).toThrow("CONNECTING");
    await pass(199);
    expect(seen).toEqual([]);
    await pass(1);
    expect(seen).toEqual(["open", "message right behind"]);

    socket.send("up");
    native.receive("down");
    await pass(99);
    expect([native.sent, seen.length]).toEqual([[], 2]);
    expect(socket.bufferedAmount).toBe(2);
    await pass(1);
    expect([native.sent, seen.at(-1)]).toEqual([["up"], "message down"]);
    expect(socket.bufferedAmount).toBe(0);
  });

  it("does not let later data overtake earlier data", async () => {
    const { native, seen } = connected();
    layer.delay(500);
    native.receive("slow");
    layer.delay(0);
    native.receive("fast");
    await pass(499);
    expect(seen).toEqual(["open"]);
    await pass(1);
    expect(seen).toEqual(["open", "message slow", "message fast"]);
  });

  it("sends queued data before it closes a socket", async () => {
    const { socket, native, seen } = connected();
    layer.delay(100);
    socket.send("last words");
    socket.close(4013);
    expect(socket.readyState).toBe(page.WebSocket.CLOSING);
    expect(native.closed).toBeUndefined();
    await pass(100);
    expect([native.sent, native.closed]).toEqual([["last words"], [4013, undefined]]);
    native.dispatchEvent(new FakeCloseEvent("close", { code: 4013, wasClean: true }));
    await pass(100);
    expect(seen.at(-1)).toBe("close 4013 true");
  });

  it("delays requests and responses, and an abort ends them at once", async () => {
    layer.delay(100);
    page.answer = "[]";
    const outcome = outcomeOf(page.fetch("/poll"));
    await pass(99);
    expect(page.asked).toHaveLength(0);
    await pass(1);
    expect(page.asked).toHaveLength(1);
    await pass(99);
    expect(outcome).toEqual([]);
    await pass(1);
    expect(outcome).toEqual(["answered"]);

    const mine = new AbortController();
    const aborted = outcomeOf(page.fetch("/poll", { signal: mine.signal }));
    mine.abort(new Error("enough"));
    await pass(0);
    expect(aborted).toEqual(["enough"]);
    await pass(500);
    expect(page.asked).toHaveLength(1);
  });
});

describe("loss", () => {
  const mockDice =
    (...rolls: number[]) =>
    () =>
      rolls.shift() ?? 1;

  it("stalls a stream for TCP's retransmission timeout, doubled each time", () => {
    const losing = (...rolls: number[]) =>
      retransmissionDelay({ latencyMs: 0, loss: 0.5 }, mockDice(...rolls));
    expect(losing()).toBe(0);
    expect(losing(0)).toBe(200);
    expect(losing(0, 0)).toBe(600);
    expect(retransmissionDelay({ latencyMs: 300, loss: 0.5 }, mockDice(0))).toBe(600);
    expect(retransmissionDelay({ latencyMs: 0, loss: 1 }, () => 0)).toBe(200 * 63);
  });

  it("delays everything behind a lost message, and loses nothing", async () => {
    const { native, seen } = connected();
    layer.lose(0.1);
    randoms = [0];
    native.receive("lost at first");
    native.receive("behind it");
    await pass(199);
    expect(seen).toEqual(["open"]);
    await pass(1);
    expect(seen).toEqual(["open", "message lost at first", "message behind it"]);
  });

  it("fails a request before or after it reached the server", async () => {
    layer.lose(0.5);
    page.answer = "[]";
    randoms = [0, 0];
    await expect(page.fetch("/poll")).rejects.toThrow("Failed to fetch");
    expect(page.asked).toHaveLength(0);
    randoms = [0, 1];
    await expect(page.fetch("/poll")).rejects.toThrow("Failed to fetch");
    expect(page.asked).toHaveLength(1);
    await expect(page.fetch("/poll")).resolves.toBeInstanceOf(Response);
  });
});

describe("a black hole", () => {
  it("keeps open sockets open, and carries nothing", async () => {
    const { socket, native, seen } = connected();
    layer.blackHole(true);
    socket.send("into the hole");
    native.receive("out of the hole");
    native.dispatchEvent(new FakeCloseEvent("close", { code: 1000 }));
    await pass(60_000);
    expect(socket.readyState).toBe(page.WebSocket.OPEN);
    expect([seen, native.sent, native.closed]).toEqual([["open"], [], undefined]);
  });

  it("drops data in flight", async () => {
    layer.delay(100);
    const { native, seen } = connected();
    await pass(200);
    native.receive("nearly there");
    layer.blackHole(true);
    await pass(1000);
    expect(seen).toEqual(["open"]);
  });

  it("gives no response to new connections until they are closed", async () => {
    layer.blackHole(true);
    const socket = new page.WebSocket("ws://host/");
    const seen = recordEvents(socket);
    const mine = new AbortController();
    const outcome = outcomeOf(page.fetch("/poll", { signal: mine.signal }));
    await pass(60_000);
    expect(socket.readyState).toBe(page.WebSocket.CONNECTING);
    expect([seen, outcome, FakeSocket.made.length, page.asked.length]).toEqual([[], [], 0, 0]);
    mine.abort(new Error("enough"));
    socket.close();
    await pass(0);
    expect([seen, outcome]).toEqual([["error", "close 1006 false"], ["enough"]]);
    expect(layer.live).toEqual({ sockets: 0, requests: 0 });
  });

  it("lets new connections through when it ends, and old ones stay dead", async () => {
    const old = connected();
    layer.blackHole(true);
    const request = outcomeOf(page.fetch("/poll"));
    layer.blackHole(false);
    page.answer = "[]";
    await expect(page.fetch("/poll")).resolves.toBeInstanceOf(Response);
    expect(connected().seen).toEqual(["open"]);
    old.native.receive("still nothing");
    await pass(60_000);
    expect([old.seen, request]).toEqual([["open"], []]);
  });

  it("loses the response to a request that reached the server", async () => {
    layer.delay(100);
    page.answer = "[]";
    const outcome = outcomeOf(page.fetch("/poll"));
    await pass(150);
    layer.blackHole(true);
    await pass(1000);
    expect([page.asked.length, outcome]).toEqual([1, []]);
  });

  it("a socket that gets no answer to its close frame closes after a timeout", async () => {
    const { socket, seen } = connected();
    layer.blackHole(true);
    socket.close(4013);
    await pass(1999);
    expect(socket.readyState).toBe(page.WebSocket.CLOSING);
    await pass(1);
    expect(seen.at(-1)).toBe("close 1006 false");
  });
});

describe("a proxy that kills sockets", () => {
  it("cuts every socket after the given time, and no request", async () => {
    page.fetch("/poll").catch(() => undefined);
    layer.killAfter(1000);
    const { native, seen } = made();
    await pass(5000);
    native.open();
    await pass(999);
    expect(seen).toEqual(["open"]);
    await pass(1);
    expect(seen.at(-1)).toBe("close 1006 false");
    expect(layer.live).toEqual({ sockets: 0, requests: 1 });
  });

  it("spares open sockets when it ends", async () => {
    const { seen } = connected();
    layer.killAfter(1000);
    await pass(900);
    layer.killAfter(0);
    await pass(5000);
    expect(seen).toEqual(["open"]);
  });
});

describe("a frozen page", () => {
  it("delays timers and network events until it thaws, in order", async () => {
    page.answer = "[]";
    const { native, seen } = connected();
    const order: string[] = [];
    for (const type of ["visibilitychange", "freeze", "resume"]) {
      page.document.addEventListener(type, () =>
        order.push(`${type} ${page.document.hidden ? "hidden" : "shown"}`),
      );
    }
    page.setTimeout(() => order.push("timer 2"), 2000);
    page.setTimeout(() => order.push("timer 1"), 1000);
    const forgotten = page.setTimeout(() => order.push("forgotten"), 1000);
    page.setInterval(() => order.push("interval"), 900);

    layer.freeze(10_000);
    expect(order).toEqual(["visibilitychange hidden", "freeze hidden"]);
    const outcome = outcomeOf(page.fetch("/poll"));
    native.receive("one");
    native.receive("two");
    await pass(9_999);
    page.clearTimeout(forgotten);
    expect([order.length, seen, outcome, page.asked.length]).toEqual([2, ["open"], [], 0]);

    await pass(1);
    expect(order.slice(2, 4)).toEqual(["resume shown", "visibilitychange shown"]);
    await pass(50);
    expect(order.slice(4)).toEqual(["interval", "timer 1", "timer 2"]);
    expect([seen, outcome]).toEqual([["open", "message one", "message two"], ["answered"]]);
  });

  it("observes a cut only when it thaws", async () => {
    const { socket, seen } = connected();
    layer.freeze(5000);
    layer.drop();
    await pass(4999);
    expect([socket.readyState, seen]).toEqual([page.WebSocket.OPEN, ["open"]]);
    layer.thaw();
    await pass(10);
    expect(seen.at(-1)).toBe("close 1006 false");
  });

  it("ignores the browser's visibility events", async () => {
    const heard = vi.fn();
    page.document.addEventListener("visibilitychange", heard);
    layer.freeze(5000);
    heard.mockClear();
    page.document.dispatchEvent(new Event("visibilitychange"));
    expect(heard).not.toHaveBeenCalled();
  });
});

describe("a planned restart", () => {
  const RESTART = { text: '[{"type":"goaway"}]', code: 1001, closeMs: 300, awayMs: 1000 };

  it("is announced, closes everything, and refuses connections while it lasts", async () => {
    const { socket, native, seen } = connected();
    const held = outcomeOf(page.fetch("/poll"));
    layer.restart(RESTART);
    await pass(299);
    expect(seen).toEqual(["open", 'message [{"type":"goaway"}]']);
    expect(held).toEqual([]);
    await pass(1);
    expect([seen.at(-1), held, socket.readyState]).toEqual([
      "close 1001 true",
      ["Failed to fetch"],
      page.WebSocket.CLOSED,
    ]);
    expect(native.closed).toEqual([]);
    await expect(page.fetch("/poll")).rejects.toThrow("Failed to fetch");
    const refused = recordEvents(new page.WebSocket("ws://host/"));
    await pass(999);
    expect(refused.at(-1)).toBe("close 1006 false");
    await pass(1);
    expect(layer.state.restarting).toBe(false);
    expect(connected().seen).toEqual(["open"]);
  });
});

it("ending all faults ends every fault at once", async () => {
  layer.delay(500);
  layer.lose(0.5);
  layer.killAfter(1000);
  layer.blackHole(true);
  layer.blockWebSocket(true);
  layer.goOffline(true);
  layer.freeze(60_000);
  layer.restart({ text: "", code: 1001, closeMs: 100, awayMs: 60_000 });
  expect(activeFaults(layer.state)).toHaveLength(8);
  layer.endAll();
  expect(layer.state).toEqual(NO_FAULTS);
  expect(page.navigator.onLine).toBe(true);
  await pass(100_000);
  expect(layer.state).toEqual(NO_FAULTS);
});

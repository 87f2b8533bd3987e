// The fault layer on a page made of test doubles: what the client observes of each fault.

import { beforeEach, describe, expect, it } from "vitest";
import { FakeCloseEvent, FakePage, FakeSocket, recordEvents } from "./fakePage";
import { FaultLayer } from "./faultLayer";

let page: FakePage;
let layer: FaultLayer;

beforeEach(() => {
  FakeSocket.made = [];
  page = new FakePage();
  layer = new FaultLayer();
  layer.install(page);
});

function connected(): { socket: WebSocket; native: FakeSocket; seen: string[] } {
  const socket = new page.WebSocket("ws://host/everwire/v1/ws", ["everwire.v1"]);
  const native = FakeSocket.made.at(-1);
  if (!native) throw new Error("no socket was made");
  const seen = recordEvents(socket);
  native.open();
  return { socket, native, seen };
}

describe("without a fault", () => {
  it("passes everything through", () => {
    const { socket, native, seen } = connected();
    expect(native.protocols).toEqual(["everwire.v1"]);
    socket.send("up");
    native.receive("down");
    socket.close(4013, "enough");
    native.dispatchEvent(new FakeCloseEvent("close", { code: 4013, wasClean: true }));
    expect(native.sent).toEqual(["up"]);
    expect(native.closed).toEqual([4013, "enough"]);
    expect(seen).toEqual(["open", "message down", "close 4013 true"]);
    expect(socket.readyState).toBe(page.WebSocket.CLOSED);
    expect(layer.live.sockets).toBe(0);
  });

  it("creates sockets that are instances of WebSocket", () => {
    const { socket, native } = connected();
    expect(socket instanceof page.WebSocket).toBe(true);
    expect(native instanceof page.WebSocket).toBe(true);
    expect({} instanceof page.WebSocket).toBe(false);
  });

  it("drops a handler that is replaced or removed", () => {
    const { socket, native } = connected();
    const seen: string[] = [];
    socket.onmessage = () => seen.push("first");
    socket.onmessage = () => seen.push("second");
    native.receive("x");
    socket.onmessage = null;
    native.receive("y");
    expect(seen).toEqual(["second"]);
    expect(socket.onmessage).toBeNull();
  });
});

describe("a dropped socket", () => {
  it("closes at once, like a lost connection", () => {
    const { socket, native, seen } = connected();
    layer.drop();
    expect(seen).toEqual(["open", "error", "close 1006 false"]);
    expect(socket.readyState).toBe(page.WebSocket.CLOSED);
    expect(native.closed).toEqual([]);
  });

  it("reports nothing after that", () => {
    const { socket, native, seen } = connected();
    layer.drop();
    native.receive("too late");
    native.dispatchEvent(new FakeCloseEvent("close", { code: 1005, wasClean: true }));
    socket.send("into the void");
    expect(seen).toHaveLength(3);
    expect(native.sent).toEqual([]);
  });

  it("does not affect the next one", () => {
    connected();
    layer.drop();
    const { seen, native } = connected();
    native.receive("here again");
    expect(seen).toEqual(["open", "message here again"]);
  });

  it("takes pending requests along", async () => {
    const request = page.fetch("/poll");
    expect(layer.live.requests).toBe(1);
    layer.drop();
    await expect(request).rejects.toThrow(TypeError);
    expect(layer.live.requests).toBe(0);
  });
});

describe("blocked WebSocket", () => {
  it("cuts open sockets, and fails new ones without connecting", async () => {
    const { seen } = connected();
    layer.blockWebSocket(true);
    expect(seen.at(-1)).toBe("close 1006 false");
    const made = FakeSocket.made.length;
    const socket = new page.WebSocket("ws://host/");
    const refused = recordEvents(socket);
    expect(socket.readyState).toBe(page.WebSocket.CONNECTING);
    expect(() => socket.send("early")).toThrow();
    await new Promise((resolve) => socket.addEventListener("close", resolve));
    expect(refused).toEqual(["error", "close 1006 false"]);
    expect(FakeSocket.made).toHaveLength(made);
  });

  it("does not affect requests", () => {
    page.fetch("/poll").catch(() => undefined);
    layer.blockWebSocket(true);
    expect(layer.live.requests).toBe(1);
  });

  it("ends when it is unblocked", () => {
    layer.blockWebSocket(true);
    layer.blockWebSocket(false);
    expect(connected().seen).toEqual(["open"]);
  });
});

describe("offline", () => {
  it("fails sockets and requests, and fires the offline event", async () => {
    const events: string[] = [];
    page.addEventListener("offline", () => events.push("offline"));
    page.addEventListener("online", () => events.push("online"));
    const { seen } = connected();
    const held = page.fetch("/poll");

    layer.goOffline(true);
    expect(seen.at(-1)).toBe("close 1006 false");
    await expect(held).rejects.toThrow("Failed to fetch");
    await expect(page.fetch("/poll")).rejects.toThrow("Failed to fetch");
    expect(page.navigator.onLine).toBe(false);

    layer.goOffline(false);
    expect(page.navigator.onLine).toBe(true);
    expect(events).toEqual(["offline", "online"]);
    expect(connected().seen).toEqual(["open"]);
  });

  it("suppresses the browser's own online event", () => {
    const events: string[] = [];
    page.addEventListener("online", () => events.push("online"));
    layer.goOffline(true);
    page.dispatchEvent(new Event("online"));
    expect(events).toEqual([]);
  });
});

it("an aborted request rejects with the reason of its signal", async () => {
  const mine = new AbortController();
  const request = page.fetch("/poll", { signal: mine.signal });
  mine.abort(new Error("enough"));
  await expect(request).rejects.toThrow("enough");
});

it("notifies listeners when a fault begins and ends", () => {
  const states: boolean[] = [];
  const stop = layer.subscribe(() => states.push(layer.state.websocketBlocked));
  layer.blockWebSocket(true);
  layer.blockWebSocket(false);
  stop();
  layer.blockWebSocket(true);
  expect(states).toEqual([true, false]);
});

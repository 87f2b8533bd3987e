// What begins before the core is there: it is used if it is still good, and otherwise nobody notices it.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EarlyStart } from "../src/core/early-start.js";
import { POLLING_UNTIL_KEY } from "../src/generated/bindings.js";

const settings = { url: "https://chat.example/x", guest: undefined, websocket: true, polling: true };

class FakeSocket {
  static readonly all: FakeSocket[] = [];
  readyState = 0;
  closed = false;
  onopen: (() => void) | undefined;
  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    FakeSocket.all.push(this);
  }
  close() {
    this.closed = true;
    this.readyState = 2;
  }
}

beforeEach(() => {
  FakeSocket.all.length = 0;
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const first = () => FakeSocket.all[0];

describe("the early WebSocket", () => {
  it("is opened at once and given once", () => {
    const early = new EarlyStart(settings, undefined);
    expect(FakeSocket.all).toMatchObject([
      { url: "wss://chat.example/x/everwire/v1/ws", protocol: "everwire.v1" },
    ]);
    vi.advanceTimersByTime(2_999);
    expect(early.socket()).toBe(first());
    expect(early.socket()).not.toBe(first());
    vi.advanceTimersByTime(60_000);
    early.close();
    expect(FakeSocket.all.map(({ closed }) => closed)).toEqual([false, false]);
  });

  it("is given while it is open, too", () => {
    const early = new EarlyStart(settings, undefined);
    Object.assign(first() ?? {}, { readyState: 1 });
    expect(early.socket()).toBe(first());
  });

  it.each([2, 3])("is not given in readyState %d", (readyState) => {
    const early = new EarlyStart(settings, undefined);
    first()?.onopen?.();
    Object.assign(first() ?? {}, { readyState });
    expect(early.socket()).not.toBe(first());
  });

  it("counts as an attempt if it could not be opened", () => {
    const early = new EarlyStart(settings, undefined);
    Object.assign(first() ?? {}, { readyState: 3 });
    expect(() => early.socket()).toThrow();
    expect(early.socket()).not.toBe(first());
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("is closed when nobody wants it for three seconds", () => {
    const early = new EarlyStart(settings, undefined);
    vi.advanceTimersByTime(3_000);
    expect(first()).toMatchObject({ closed: true });
    expect(early.socket()).not.toBe(first());
  });

  it("is not given when its timer is late", () => {
    const early = new EarlyStart(settings, undefined);
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 3_001);
    expect(early.socket()).not.toBe(first());
    expect(first()).toMatchObject({ closed: true });
  });

  it("is closed with the client", () => {
    new EarlyStart(settings, undefined).close();
    expect(first()).toMatchObject({ closed: true });
  });

  it("is not opened where the core would not open one", () => {
    new EarlyStart({ ...settings, websocket: false }, undefined);
    vi.stubGlobal("navigator", { onLine: false });
    new EarlyStart(settings, undefined);
    vi.stubGlobal("navigator", { onLine: true });
    const key = `${POLLING_UNTIL_KEY}https://chat.example/x/everwire/v1/poll`;
    const until = { value: Date.now() + 1 };
    vi.stubGlobal("localStorage", {
      getItem: (asked: string) => (asked === key ? String(until.value) : null),
    });
    new EarlyStart(settings, undefined);
    expect(FakeSocket.all).toEqual([]);
    until.value = Date.now();
    new EarlyStart(settings, undefined);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it("fails without a word, and again when it is asked for", () => {
    vi.stubGlobal("WebSocket", function denied() {
      throw new Error("forbidden here");
    });
    const early = new EarlyStart(settings, undefined);
    expect(() => early.socket()).toThrow("forbidden here");
  });
});

describe("the early token", () => {
  it("is asked for at once and given once", async () => {
    const source = vi.fn(() => `token ${source.mock.calls.length}`);
    const early = new EarlyStart(settings, source);
    expect(source).toHaveBeenCalledTimes(1);
    expect(await early.token()).toBe("token 1");
    expect(await early.token()).toBe("token 2");
  });

  it("is asked for again when it is old", async () => {
    const source = vi.fn(() => `token ${source.mock.calls.length}`);
    const early = new EarlyStart(settings, source);
    vi.advanceTimersByTime(3_001);
    expect(await early.token()).toBe("token 2");
  });

  it("is not asked for without a network", async () => {
    vi.stubGlobal("navigator", { onLine: false });
    const source = vi.fn(() => "token");
    new EarlyStart(settings, source);
    expect(source).not.toHaveBeenCalled();
  });

  it("may be a string, or fail", async () => {
    expect(await new EarlyStart(settings, "text").token()).toBe("text");
    const failing = new EarlyStart(settings, () => {
      throw new Error("signed out");
    });
    await expect(failing.token()).rejects.toThrow("signed out");
  });
});

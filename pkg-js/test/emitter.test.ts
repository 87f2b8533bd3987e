// Listeners: one that fails is reported and skipped, one that was removed is not called.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Emitter } from "../src/core/emitter.js";

const reported = vi.fn();

beforeEach(() => {
  vi.stubGlobal("reportError", reported);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  reported.mockReset();
});

describe("an emitter", () => {
  it("calls the listeners of an event in order, until they are removed", () => {
    const emitter = new Emitter();
    const got: string[] = [];
    const offA = emitter.on("x", (value) => got.push(`a${value}`));
    emitter.on("x", (value) => got.push(`b${value}`));
    emitter.on("y", (value) => got.push(`c${value}`));
    emitter.emit("x", 1);
    offA();
    offA();
    emitter.emit("x", 2);
    expect(got).toEqual(["a1", "b1", "b2"]);
  });

  it("reports a listener that throws, and continues", () => {
    const emitter = new Emitter();
    const after = vi.fn();
    const error = new Error("mine");
    emitter.on("x", () => {
      throw error;
    });
    emitter.on("x", after);
    emitter.emit("x", 1);
    expect(reported).toHaveBeenCalledExactlyOnceWith(error);
    expect(after).toHaveBeenCalledOnce();
  });

  it("reports a listener whose promise rejects", async () => {
    const emitter = new Emitter();
    const error = new Error("late");
    emitter.on("x", async () => {
      throw error;
    });
    emitter.emit("x", 1);
    await vi.waitFor(() => expect(reported).toHaveBeenCalledExactlyOnceWith(error));
  });

  it("reports to the console where there is no reportError", () => {
    vi.stubGlobal("reportError", undefined);
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const emitter = new Emitter();
    emitter.on("x", () => {
      throw new Error("mine");
    });
    emitter.emit("x", 1);
    expect(log).toHaveBeenCalledOnce();
  });

  it("does not call a listener that was removed in the same dispatch, nor one that was added", () => {
    const emitter = new Emitter();
    const got: string[] = [];
    emitter.on("x", () => {
      got.push("first");
      off();
      emitter.on("x", () => got.push("added"));
    });
    const off = emitter.on("x", () => got.push("removed"));
    emitter.on("x", () => got.push("last"));
    emitter.emit("x", 1);
    expect(got).toEqual(["first", "last"]);
  });

  it("keeps two registrations of one function apart", () => {
    const emitter = new Emitter();
    const listener = vi.fn();
    const off = emitter.on("x", listener);
    emitter.on("x", listener);
    off();
    emitter.emit("x", 1);
    expect(listener).toHaveBeenCalledOnce();
    expect(emitter.has("x")).toBe(true);
  });
});

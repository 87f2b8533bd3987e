// @vitest-environment happy-dom
// Idleness: told when nobody was at the page for long, and taken back at the first sign; nothing stays behind.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { running } from "./scripted-core.js";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const MINUTE = 60_000;

describe("an idle page", () => {
  it("is reported after five minutes without input, and when there is input again", async () => {
    const { client, core } = await running();
    const told = () => core.of("sendSticky").map(([frame]) => frame);
    await vi.advanceTimersByTimeAsync(4 * MINUTE);
    dispatchEvent(new Event("keydown"));
    await vi.advanceTimersByTimeAsync(4 * MINUTE);
    dispatchEvent(new Event("pointermove"));
    await vi.advanceTimersByTimeAsync(5 * MINUTE - 1);
    expect(told()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(told()).toEqual([{ type: "idle", idle: true }]);
    await vi.advanceTimersByTimeAsync(60 * MINUTE);
    dispatchEvent(new Event("pointerdown"));
    expect(told().slice(1)).toEqual([{ type: "idle", idle: false }]);
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    expect(told()).toHaveLength(3);
    await client.close();
  });

  it("is reported after the time of the option, or never", async () => {
    const soon = await running({ idleAfter: 1000 });
    const never = await running({ idleAfter: false });
    await vi.advanceTimersByTimeAsync(1000);
    expect(soon.core.of("sendSticky")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60 * MINUTE);
    expect(never.core.of("sendSticky")).toEqual([]);
    await Promise.all([soon.client.close(), never.client.close()]);
  });

  it("is left as it was when the client is closed", async () => {
    const added = vi.spyOn(globalThis, "addEventListener");
    const removed = vi.spyOn(globalThis, "removeEventListener");
    const { client } = await running();
    expect(added.mock.calls.length).toBeGreaterThan(0);
    await client.close();
    expect(removed.mock.calls.map(([name]) => name)).toEqual(added.mock.calls.map(([name]) => name));
    expect(vi.getTimerCount()).toBe(0);
  });
});

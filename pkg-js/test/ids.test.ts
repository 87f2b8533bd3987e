// Ids: the form of RFC 9562, unique, and in the order in which they were minted whatever the clock does.

import { afterEach, describe, expect, it, vi } from "vitest";
import { uuid7 } from "../src/core/ids.js";

afterEach(() => {
  vi.useRealTimers();
});

describe("uuid7", () => {
  it("has version 7, the variant of the RFC, and the time", () => {
    vi.useFakeTimers({ now: 4_000_000_000_000 });
    const id = uuid7();
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(4_000_000_000_000);
  });

  it("is unique and ascending, also in one ms, past the counter's end, and when the clock steps back", () => {
    vi.useFakeTimers({ now: 4_100_000_000_000 });
    const ids = Array.from({ length: 20_000 }, uuid7);
    vi.setSystemTime(4_000_000_000_000);
    ids.push(...Array.from({ length: 100 }, uuid7));
    vi.setSystemTime(4_200_000_000_000);
    ids.push(uuid7());
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
  });
});

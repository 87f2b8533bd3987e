// At most four pages hold a poll (promise 26): with locks like those of a browser.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PollSlot } from "../src/core/poll-slots.js";
import { running } from "./scripted-core.js";

/** The locks of one browser. */
class Locks {
  readonly held = new Set<string>();

  async request(
    name: string,
    _options: { ifAvailable: true },
    act: (lock: object | null) => Promise<void> | undefined,
  ): Promise<void> {
    await Promise.resolve();
    if (this.held.has(name)) {
      await act(null);
      return;
    }
    this.held.add(name);
    await act({ name });
    this.held.delete(name);
  }
}

let locks: Locks;

beforeEach(() => {
  locks = new Locks();
  vi.stubGlobal("location", { href: "https://chat.example/" });
  vi.stubGlobal("navigator", { locks });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

const settle = () => new Promise((resolve) => setTimeout(resolve, 2));

function page(server = "https://chat.example") {
  const seen = { granted: 0 };
  const slot = new PollSlot(server, () => {
    seen.granted++;
  });
  return { slot, seen };
}

it("grants four slots per server, and a fifth when one is given up", async () => {
  const pages = Array.from({ length: 6 }, () => page());
  for (const { slot } of pages) slot.want(true);
  await settle();
  expect(pages.map(({ seen }) => seen.granted)).toEqual([1, 1, 1, 1, 0, 0]);
  const elsewhere = page("https://other.example");
  elsewhere.slot.want(true);
  await settle();
  expect(elsewhere.seen.granted).toBe(1);
  pages[1]?.slot.want(false);
  await settle();
  pages[5]?.slot.want(true);
  await settle();
  expect(pages.map(({ seen }) => seen.granted)).toEqual([1, 1, 1, 1, 0, 1]);
  expect(locks.held.size).toBe(5);
});

it("asks once at a time, and lets go of what it no longer wants", async () => {
  const { slot, seen } = page();
  slot.want(true);
  slot.want(true);
  slot.want(false);
  await settle();
  expect([seen.granted, locks.held.size]).toEqual([0, 0]);
  slot.want(true);
  await settle();
  slot.want(true);
  await settle();
  expect([seen.granted, locks.held.size]).toEqual([1, 1]);
});

const denied = { locks: { request: () => Promise.reject(new DOMException("no", "SecurityError")) } };

it.each([
  ["has no locks", {}],
  ["denies them", denied],
])("pages ask each other where the browser %s", async (_, navigator) => {
  vi.stubGlobal("navigator", navigator);
  const pages = Array.from({ length: 6 }, () => page("http://asked.example"));
  const granted = () => pages.reduce((sum, { seen }) => sum + seen.granted, 0);
  for (const { slot } of pages) slot.want(true);
  await vi.waitFor(() => expect(granted()).toBe(4));
  const late = page("http://asked.example");
  late.slot.want(true);
  // When another page on its own has had its answer, the late one has had it too.
  const elsewhere = page("http://elsewhere.example");
  elsewhere.slot.want(true);
  await vi.waitFor(() => expect(elsewhere.seen.granted).toBe(1));
  await settle();
  expect([granted(), late.seen.granted]).toEqual([4, 0]);
  pages.find(({ seen }) => seen.granted === 1)?.slot.want(false);
  late.slot.want(true);
  await vi.waitFor(() => expect(late.seen.granted).toBe(1));
  for (const { slot } of [...pages, late, elsewhere]) slot.want(false);
});

it("everything is free where there is no way to ask", async () => {
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("BroadcastChannel", undefined);
  const pages = Array.from({ length: 6 }, () => page());
  for (const { slot } of pages) slot.want(true);
  await settle();
  expect(pages.map(({ seen }) => seen.granted)).toEqual([1, 1, 1, 1, 1, 1]);
});

it("the client takes a slot when the core asks for one", async () => {
  const { core } = await running();
  core.host.pollSlot({ wanted: 1 });
  await settle();
  expect(core.of("pollSlot")).toEqual([[]]);
  core.host.pollSlot({ wanted: 0 });
  await settle();
  expect(locks.held.size).toBe(0);
});

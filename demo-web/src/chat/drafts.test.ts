// Drafts: one per chat, kept across a reload.

import { expect, it } from "vitest";
import { type DraftStorage, Drafts, EMPTY } from "./drafts";

function storage(): DraftStorage & { held: Map<string, string> } {
  const held = new Map<string, string>();
  return {
    held,
    getItem: (key) => held.get(key) ?? null,
    setItem: (key, value) => void held.set(key, value),
  };
}

it("keeps one draft per chat, across reloads", () => {
  const place = storage();
  const drafts = new Drafts("ada", place);
  drafts.set("1", { text: "half a sent", replyTo: "m1" });
  drafts.set("2", { text: "other" });
  drafts.set("2", EMPTY);
  const after = new Drafts("ada", place);
  expect(after.get("1")).toEqual({ text: "half a sent", replyTo: "m1" });
  expect(after.get("2")).toBe(EMPTY);
  expect(new Drafts("grace", place).get("1")).toBe(EMPTY);
});

it("notifies listeners", () => {
  const drafts = new Drafts("ada", undefined);
  let calls = 0;
  const unsubscribe = drafts.subscribe(() => calls++);
  drafts.set("1", { text: "a" });
  unsubscribe();
  drafts.set("1", { text: "ab" });
  expect(calls).toBe(1);
});

it.each(["not json", '{"a":1}', "[1,null,[2,3]]"])("ignores stored %s", (text) => {
  expect(new Drafts("ada", { getItem: () => text, setItem: () => undefined }).get("1")).toBe(EMPTY);
});

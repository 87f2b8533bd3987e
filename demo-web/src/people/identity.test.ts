// Names and user ids of visitors.

import { expect, it } from "vitest";
import { MAX_NAME, newUser, normalizeName } from "./identity";

it.each([
  ["  Ana   Ruiz ", "Ana Ruiz"],
  ["a\u0000b\nc", "a b c"],
  ["\u202eevil", "evil"],
  ["日本", "日本"],
])("normalizes %j to %j", (typed, name) => expect(normalizeName(typed)).toBe(name));

it.each(["", "   ", "\u200b\u202e"])("rejects %j", (typed) => expect(normalizeName(typed)).toBeUndefined());

it("cuts a long name between characters, within the protocol's limit", () => {
  const name = normalizeName("🦊".repeat(50)) ?? "";
  expect(Array.from(name)).toHaveLength(MAX_NAME);
  expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(128);
});

it("gives every visitor an id of their own", () => {
  expect(newUser()).toMatch(/^guest-[0-9a-f]{16}$/);
  expect(newUser()).not.toBe(newUser());
});

// Names and user ids of visitors.

import { expect, it } from "vitest";
import { MAX_NAME, newUser, normalizeName } from "./identity";

it.each([
  ["  Ana   Ruiz ", "Ana Ruiz"],
  ["a\u0000b\nc", "a b c"],
  ["\u202eevil", "evil"],
  ["日本", "日本"],
])("%j becomes %j", (typed, name) => expect(normalizeName(typed)).toBe(name));

it.each(["", "   ", "\u200b\u202e"])("nothing is left of %j", (typed) =>
  expect(normalizeName(typed)).toBeUndefined(),
);

it("a long name is cut between characters, and stays within what the protocol takes", () => {
  const name = normalizeName("🦊".repeat(50)) ?? "";
  expect(Array.from(name)).toHaveLength(MAX_NAME);
  expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(128);
});

it("every visitor has an id of their own", () => {
  expect(newUser()).toMatch(/^guest-[0-9a-f]{16}$/);
  expect(newUser()).not.toBe(newUser());
});

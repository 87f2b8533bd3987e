// What a person may type for a room, and which channel that becomes.

import { expect, it } from "vitest";
import { MAX_SLUG, roomOf, slugOf } from "./names";

it.each([
  ["General", "general"],
  ["  Night shift! ", "night-shift"],
  ["Café Zürich", "cafe-zurich"],
  ["a/b\\c", "a-b-c"],
  ["snake_case", "snake_case"],
])("%s becomes %s", (typed, slug) => expect(slugOf(typed)).toBe(slug));

it.each(["", "   ", "!!!", "日本", "-"])("nothing is left of %j", (typed) =>
  expect(slugOf(typed)).toBeUndefined(),
);

it("a slug stays as it is, and is short", () => {
  const slug = slugOf("x y ".repeat(50)) ?? "";
  expect(slug.length).toBeLessThanOrEqual(MAX_SLUG);
  expect(slugOf(slug)).toBe(slug);
});

it("a room is a presence channel", () => {
  expect(roomOf("general").channel).toBe("presence-room.general");
});

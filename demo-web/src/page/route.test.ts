// Parsing of routes.

import { expect, it } from "vitest";
import { hrefOfChat, routeOf } from "./route";

it.each([
  ["", { page: "chats" }],
  ["#/", { page: "chats" }],
  ["#/board", { page: "board" }],
  ["#/chat/7", { page: "chat", id: "7" }],
  ["#/chat/", { page: "chats" }],
  ["#/chat/%", { page: "chats" }],
  ["#/somewhere", { page: "chats" }],
])("parses %j", (hash, route) => expect(routeOf(hash)).toEqual(route));

it("parses the link of a chat", () => {
  expect(routeOf(hrefOfChat("a/b c"))).toEqual({ page: "chat", id: "a/b c" });
});

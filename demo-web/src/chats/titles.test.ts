// Titles and previews of chats.

import { expect, it } from "vitest";
import type { Chat, ChatMember } from "../messenger/messengerApi";
import { previewOf, sizeOf, textOf, titleOf } from "./titles";

const member = (user: string, name?: string): ChatMember => ({
  user,
  ...(name !== undefined && { name }),
  role: "member",
  status: "online",
  delivered: 0,
  read: 0,
});

const chat = (change: Partial<Chat>): Chat => ({
  id: "1",
  kind: "group",
  open: false,
  role: "member",
  members: [member("me", "Me"), member("grace", "Grace Hopper")],
  memberCount: 2,
  read: 0,
  head: 0,
  unread: 0,
  at: 0,
  ...change,
});

const message = (user: string, data: unknown) => ({
  channel: "private-chat.1",
  offset: 1,
  id: "m",
  user,
  at: 0,
  data,
});

it("a direct chat is named after the other member", () => {
  expect(titleOf(chat({ kind: "direct" }), "me")).toBe("Grace Hopper");
  expect(titleOf(chat({ kind: "direct", members: [member("me")] }), "me")).toBe("Yourself");
});

it("a group without a title is named after its members", () => {
  expect(titleOf(chat({ title: "Moon" }), "me")).toBe("Moon");
  const members = ["me", "ada", "grace", "linus", "alan"].map((user) => member(user));
  expect(titleOf(chat({ members }), "me")).toBe("Ada, Grace and 2 others");
  expect(titleOf(chat({ members: [member("me")] }), "me")).toBe("Only you");
});

it("the preview names the author unless it is obvious", () => {
  expect(previewOf(chat({}), "me")).toBe("No messages yet");
  expect(previewOf(chat({ last: message("me", { text: "hi" }) }), "me")).toBe("You: hi");
  expect(previewOf(chat({ last: message("grace", { text: "two\nlines" }) }), "me")).toBe("Grace: two lines");
  expect(previewOf(chat({ kind: "direct", last: message("grace", { text: "hi" }) }), "me")).toBe("hi");
  expect(previewOf(chat({ role: "invited" }), "me")).toBe("You are invited");
});

it("does not count invited users", () => {
  const members = [member("me"), { ...member("grace"), role: "invited" as const }];
  expect(sizeOf(chat({ members, memberCount: 2 }))).toBe(1);
});

it("accepts data of other applications", () => {
  expect(textOf("plain")).toBe("plain");
  expect(textOf({ order: 7 })).toBe('{"order":7}');
  expect(textOf(undefined)).toBe("");
});

// Announcements for screen readers: batched into one sentence, and never silent.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Announcer } from "./announcer";

let announcer: Announcer;
let heard: string[];

beforeEach(() => {
  vi.useFakeTimers();
  announcer = new Announcer();
  heard = [];
  announcer.subscribe(() => heard.push(announcer.text));
});

afterEach(() => vi.useRealTimers());

it("reads out a single message", () => {
  announcer.heard("Ana", "hello");
  expect(heard).toEqual([]);
  vi.runAllTimers();
  expect(heard).toEqual(["Ana: hello"]);
});

it("counts messages that arrive together", () => {
  announcer.heard("Ana", "one");
  announcer.heard("Ben", "two");
  vi.runAllTimers();
  announcer.heard("Ana", "three");
  vi.runAllTimers();
  expect(heard).toEqual(["2 new messages, the last from Ben.", "Ana: three"]);
});

it("announces only the latest connection state", () => {
  announcer.say("connection", "Not connected.");
  announcer.say("connection", "Connected by WebSocket.");
  announcer.heard("Ana", "hello");
  vi.runAllTimers();
  expect(heard).toEqual(["Connected by WebSocket. Ana: hello"]);
});

it("announces the same text twice", () => {
  announcer.say("connection", "Offline.");
  vi.runAllTimers();
  announcer.say("connection", "Offline.");
  vi.runAllTimers();
  expect(heard).toHaveLength(2);
  expect(heard[0]).not.toBe(heard[1]);
});

// Announcements for screen readers: batched into one sentence, and never silent.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Announcer } from "./announcer";

let announcer: Announcer;
let spoken: string[];

beforeEach(() => {
  vi.useFakeTimers();
  announcer = new Announcer();
  spoken = [];
  announcer.subscribe(() => spoken.push(announcer.text));
});

afterEach(() => vi.useRealTimers());

it("reads out a single message", () => {
  announcer.announceMessage("Ana", "hello");
  expect(spoken).toEqual([]);
  vi.runAllTimers();
  expect(spoken).toEqual(["Ana: hello"]);
});

it("counts messages that arrive together", () => {
  announcer.announceMessage("Ana", "one");
  announcer.announceMessage("Ben", "two");
  vi.runAllTimers();
  announcer.announceMessage("Ana", "three");
  vi.runAllTimers();
  expect(spoken).toEqual(["2 new messages, the last from Ben.", "Ana: three"]);
});

it("announces only the latest connection state", () => {
  announcer.announce("connection", "Not connected.");
  announcer.announce("connection", "Connected by WebSocket.");
  announcer.announceMessage("Ana", "hello");
  vi.runAllTimers();
  expect(spoken).toEqual(["Connected by WebSocket. Ana: hello"]);
});

it("announces the same text twice", () => {
  announcer.announce("connection", "Offline.");
  vi.runAllTimers();
  announcer.announce("connection", "Offline.");
  vi.runAllTimers();
  expect(spoken).toHaveLength(2);
  expect(spoken[0]).not.toBe(spoken[1]);
});

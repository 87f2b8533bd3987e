// Status and lists of names as text.

import { expect, it } from "vitest";
import { ago, joinNames, statusText, typingText } from "./statusText";

const NOW = new Date(2026, 4, 4, 12).getTime();
const MINUTE = 60_000;

it.each([
  [0, "just now"],
  [-5_000, "just now"],
  [59_000, "just now"],
  [5 * MINUTE, "5 min ago"],
  [3 * 60 * MINUTE, "3 h ago"],
  [30 * 60 * MINUTE, "yesterday"],
])("%i ms ago is %s", (passed, words) => expect(ago(NOW - passed, NOW)).toBe(words));

it("shows when somebody was last seen, if it is known", () => {
  expect(statusText({ status: "online", lastSeen: 1 }, NOW)).toBe("online");
  expect(statusText({ status: "offline", lastSeen: NOW - 5 * MINUTE }, NOW)).toBe("last seen 5 min ago");
  expect(statusText({ status: "offline" }, NOW)).toBe("offline");
});

it("counts names that do not fit", () => {
  expect(joinNames([])).toBe("");
  expect(joinNames(["Ada"])).toBe("Ada");
  expect(joinNames(["Ada", "Grace"])).toBe("Ada and Grace");
  expect(joinNames(["Ada", "Grace", "Linus"])).toBe("Ada, Grace and Linus");
  expect(joinNames(["Ada", "Grace", "Linus", "Alan"])).toBe("Ada, Grace and 2 others");
});

it("shows who is typing", () => {
  expect(typingText([])).toBe("");
  expect(typingText(["Ada"])).toBe("Ada is typing…");
  expect(typingText(["Ada", "Grace"])).toBe("Ada and Grace are typing…");
});

// Status and lists of people in words.

import { expect, it } from "vitest";
import { ago, enumerated, statusWords, typingWords } from "./statusText";

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

it("says when somebody was last seen, if that is known", () => {
  expect(statusWords({ status: "online", lastSeen: 1 }, NOW)).toBe("online");
  expect(statusWords({ status: "offline", lastSeen: NOW - 5 * MINUTE }, NOW)).toBe("last seen 5 min ago");
  expect(statusWords({ status: "offline" }, NOW)).toBe("offline");
});

it("counts those who do not fit", () => {
  expect(enumerated([])).toBe("");
  expect(enumerated(["Ada"])).toBe("Ada");
  expect(enumerated(["Ada", "Grace"])).toBe("Ada and Grace");
  expect(enumerated(["Ada", "Grace", "Linus"])).toBe("Ada, Grace and Linus");
  expect(enumerated(["Ada", "Grace", "Linus", "Alan"])).toBe("Ada, Grace and 2 others");
});

it("says who types", () => {
  expect(typingWords([])).toBe("");
  expect(typingWords(["Ada"])).toBe("Ada is typing…");
  expect(typingWords(["Ada", "Grace"])).toBe("Ada and Grace are typing…");
});

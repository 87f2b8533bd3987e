// The connection in words: what is said of each state, and that the countdown ends.

import { expect, it } from "vitest";
import { because, headline, spoken } from "./statusText";

it("names the transport", () => {
  const reason = "";
  expect(headline({ status: "connected", transport: "websocket", reason }, 0)).toBe("Connected by WebSocket");
  expect(headline({ status: "connected", transport: "polling", reason }, 0)).toBe("Connected by polling");
});

it("counts down in whole seconds, and not below nothing", () => {
  const state = { status: "waiting", attempt: 2, retryAt: 10_000, reason: "" } as const;
  expect(headline(state, 7_500)).toBe("Not connected. Next try in 3 s");
  expect(headline(state, 9_999)).toBe("Not connected. Next try in 1 s");
  expect(headline(state, 10_000)).toBe("Not connected. Trying now…");
  expect(headline(state, 99_000)).toBe("Not connected. Trying now…");
});

it("does not read the countdown out", () => {
  expect(spoken({ status: "waiting", attempt: 1, retryAt: 10_000, reason: "" })).toBe("Not connected");
});

it("makes a sentence of the reason", () => {
  expect(because({ status: "offline", reason: "the network is gone" })).toBe("The network is gone.");
  expect(because({ status: "offline", reason: "Is it?" })).toBe("Is it?");
  expect(because({ status: "offline", reason: " " })).toBe("");
});

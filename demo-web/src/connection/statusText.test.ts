// The state of the connection as text, and the countdown.

import { expect, it } from "vitest";
import { headline, reasonText, statusText } from "./statusText";

it("names the transport", () => {
  const reason = "";
  expect(statusText({ status: "connected", transport: "websocket", reason })).toBe("Connected by WebSocket");
  expect(statusText({ status: "connected", transport: "polling", reason })).toBe("Connected by polling");
  expect(headline({ status: "connected", transport: "polling", reason }, 0)).toBe("Connected");
});

it("counts down in whole seconds, not below zero", () => {
  const state = { status: "waiting", attempt: 2, retryAt: 10_000, reason: "" } as const;
  expect(headline(state, 7_500)).toBe("Not connected. Retrying in 3 s");
  expect(headline(state, 9_999)).toBe("Not connected. Retrying in 1 s");
  expect(headline(state, 10_000)).toBe("Not connected. Retrying now…");
  expect(headline(state, 99_000)).toBe("Not connected. Retrying now…");
});

it("does not announce the countdown", () => {
  expect(statusText({ status: "waiting", attempt: 1, retryAt: 10_000, reason: "" })).toBe("Not connected");
});

it("turns the reason into a sentence", () => {
  expect(reasonText({ status: "offline", reason: "the network is gone" })).toBe("The network is gone.");
  expect(reasonText({ status: "offline", reason: "Is it?" })).toBe("Is it?");
  expect(reasonText({ status: "offline", reason: " " })).toBe("");
});

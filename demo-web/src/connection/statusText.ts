// The state of the connection in words, for the indicator, the journal and the screen reader.

import type { ConnectionState } from "everwire";

const TRANSPORTS = { websocket: "WebSocket", polling: "polling" } as const;

/** Whole seconds until `at`, never negative. */
export function secondsUntil(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1000));
}

/** What is the case, in a few words. */
export function headline(state: ConnectionState, now: number): string {
  switch (state.status) {
    case "connecting":
      return state.attempt > 1 ? "Connecting again…" : "Connecting…";
    case "connected":
      return `Connected by ${TRANSPORTS[state.transport]}`;
    case "waiting": {
      const seconds = secondsUntil(state.retryAt, now);
      return seconds > 0 ? `Not connected. Next try in ${seconds} s` : "Not connected. Trying now…";
    }
    case "offline":
      return "Offline";
    case "closed":
      return "Connection closed";
  }
}

/** The same for the ear and for the log: without the countdown, which would never stop talking. */
export function spoken(state: ConnectionState): string {
  switch (state.status) {
    case "waiting":
      return state.attempt > 1 ? `Not connected, waiting to try again (${state.attempt})` : "Not connected";
    default:
      return headline(state, 0);
  }
}

/** The reason as a sentence: capital first, and a full stop. */
export function because(state: ConnectionState): string {
  const reason = state.reason.trim();
  if (reason === "") return "";
  const sentence = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}

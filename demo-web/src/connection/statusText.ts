// The state of the connection as text, for the indicator, the event log and the screen reader.

import type { ConnectionState } from "everwire";

const TRANSPORTS = { websocket: "WebSocket", polling: "polling" } as const;

/** Whole seconds until `at`, never negative. */
export function secondsUntil(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1000));
}

/** The state as the headline of the indicator. */
export function headline(state: ConnectionState, now: number): string {
  switch (state.status) {
    case "connecting":
      return state.attempt > 1 ? "Reconnecting…" : "Connecting…";
    case "connected":
      return "Connected";
    case "waiting": {
      const seconds = secondsUntil(state.retryAt, now);
      return seconds > 0 ? `Not connected. Retrying in ${seconds} s` : "Not connected. Retrying now…";
    }
    case "offline":
      return "You’re offline. Messages will send when you’re back.";
    case "closed":
      return "Connection closed";
  }
}

/** The state for the event log and the screen reader: with the transport, and without the countdown. */
export function statusText(state: ConnectionState): string {
  switch (state.status) {
    case "connected":
      return `Connected by ${TRANSPORTS[state.transport]}`;
    case "offline":
      return "Offline";
    case "waiting":
      return state.attempt > 1
        ? `Not connected, waiting to retry (attempt ${state.attempt})`
        : "Not connected";
    default:
      return headline(state, 0);
  }
}

/** The reason as a sentence, with a capital letter and a full stop. */
export function reasonText(state: ConnectionState): string {
  const reason = state.reason.trim();
  if (reason === "") return "";
  const sentence = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}

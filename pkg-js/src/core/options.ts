// Validates the options of `connect`, so that mistakes are reported immediately and clearly.

import { EverwireError } from "./errors.js";
import type { ConnectOptions } from "./events.js";

/** The options in the form that the core takes. */
export interface Settings {
  /** Absolute http(s) URL without a trailing slash. */
  readonly url: string;
  readonly guest: { readonly user: string; readonly name: string } | undefined;
  readonly websocket: boolean;
  readonly polling: boolean;
}

// setTimeout is limited to 31 bits.
const LONGEST_MS = 2 ** 31 - 1;

const KNOWN = ["url", "token", "guest", "transports", "persist", "idleAfter", "debug", "wasm"];
const TRANSPORTS: readonly unknown[] = ["websocket", "polling"];

const invalid = (option: string, expected: string, given: unknown) =>
  new EverwireError("invalid_option", `Invalid option ${option}: expected ${expected}, not ${show(given)}.`);

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Throws `invalid_option` if a number of an option is not a whole one in this range. `undefined` is fine. */
export function checkWhole(option: string, value: unknown, least: number, most = LONGEST_MS): void {
  if (value === undefined) return;
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw invalid(option, `a whole number from ${least} to ${most}`, value);
  }
}

/** Throws `invalid_option`. */
export function checkOptions(options: ConnectOptions): Settings {
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) {
    throw new EverwireError("invalid_option", `Unknown option ${unknown}. Known are ${KNOWN.join(", ")}.`);
  }
  const { url, token, guest, transports = ["websocket", "polling"], persist, idleAfter, debug } = options;
  let address: URL | undefined;
  try {
    // Anything else would become part of a path.
    if (url && (typeof url === "string" || (url as unknown) instanceof URL))
      address = new URL(url, globalThis.location?.href);
  } catch {
    // Reported below.
  }
  const protocol = address?.protocol.replace(/^ws/, "http") ?? "";
  if (address === undefined || !/^https?:$/.test(protocol) || address.username || address.password) {
    throw invalid("url", "an http, https, ws or wss URL without credentials", url);
  }
  if (token !== undefined && typeof token !== "function" && (typeof token !== "string" || token === "")) {
    throw invalid("token", "a function or a string that is not empty", token);
  }
  if (guest !== undefined && !(guest && typeof guest.user === "string" && typeof guest.name === "string")) {
    throw invalid("guest", "{ user, name }", guest);
  }
  if (
    !Array.isArray(transports) ||
    !transports.every((name) => TRANSPORTS.includes(name)) ||
    !transports[0]
  ) {
    throw invalid("transports", '["websocket"], ["polling"] or both', transports);
  }
  if (persist !== undefined && typeof persist !== "boolean") throw invalid("persist", "a boolean", persist);
  if (debug !== undefined && typeof debug !== "boolean" && typeof debug !== "function") {
    throw invalid("debug", "a boolean or a function", debug);
  }
  if (idleAfter !== false) checkWhole("idleAfter", idleAfter, 1);
  return {
    url: `${protocol}//${address.host}${address.pathname.replace(/\/+$/, "")}`,
    guest,
    websocket: transports.includes("websocket"),
    polling: transports.includes("polling"),
  };
}

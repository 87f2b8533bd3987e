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

const invalid = (option: string, expected: string) =>
  new EverwireError("invalid_option", `Invalid option ${option}: expected ${expected}.`);

/** Throws `invalid_option`. */
export function checkOptions(options: ConnectOptions): Settings {
  const { url, token, guest, transports = ["websocket", "polling"] } = options;
  let address: URL | undefined;
  try {
    address = new URL(url, globalThis.location?.href);
  } catch {
    // Reported below.
  }
  const protocol = address?.protocol.replace(/^ws/, "http") ?? "";
  if (address === undefined || !/^https?:$/.test(protocol) || address.username || address.password) {
    throw invalid("url", `an http, https, ws or wss URL without credentials, not ${url}`);
  }
  if (token !== undefined && typeof token !== "string" && typeof token !== "function") {
    throw invalid("token", "a string or a function");
  }
  if (guest !== undefined && !(guest && typeof guest.user === "string" && typeof guest.name === "string")) {
    throw invalid("guest", "{ user, name }");
  }
  const websocket = transports.includes("websocket");
  const polling = transports.includes("polling");
  if (!websocket && !polling) throw invalid("transports", '"websocket", "polling" or both');
  return {
    url: `${protocol}//${address.host}${address.pathname.replace(/\/+$/, "")}`,
    guest,
    websocket,
    polling,
  };
}

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

const wrong = (what: string) => new EverwireError("invalid_option", what);

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
    throw wrong(
      `The option url (${url}) must be a URL with http, https, ws or wss, and without user or password.`,
    );
  }
  if (token !== undefined && typeof token !== "string" && typeof token !== "function") {
    throw wrong("The option token must be a string or a function.");
  }
  if (guest !== undefined && !(guest && typeof guest.user === "string" && typeof guest.name === "string")) {
    throw wrong("The option guest must be { user, name }, both strings.");
  }
  const websocket = transports.includes("websocket");
  const polling = transports.includes("polling");
  if (!websocket && !polling) throw wrong('The option transports must name "websocket", "polling" or both.');
  return {
    url: `${protocol}//${address.host}${address.pathname.replace(/\/+$/, "")}`,
    guest,
    websocket,
    polling,
  };
}

// The visitor's identity: a stable user id and a name, kept in localStorage where that is allowed. `?as=…` makes a page
// another person in the same browser, so that visitors can chat with themselves; `?as=grace` signs in as that person
// right away.

import { personOf } from "./people";

export interface Identity {
  readonly user: string;
  readonly name: string;
}

/** Maximum length of a name, in characters. The protocol allows 128 bytes, and a character takes at most four. */
export const MAX_NAME = 32;

const KEY = "everwire-demo.identity";

const alias = () => new URLSearchParams(location.search).get("as") ?? "";

/** The storage key of this page's identity: one per value of `?as=`. */
function key(): string {
  const as = alias();
  return as ? `${KEY}.${as}` : KEY;
}

/** The stored identity; undefined for a new visitor, or where storage is denied. */
export function loadIdentity(): Identity | undefined {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key()) ?? "null");
    if (typeof stored === "object" && stored !== null) {
      const { user, name } = stored as Partial<Record<keyof Identity, unknown>>;
      if (
        typeof user === "string" &&
        user !== "" &&
        typeof name === "string" &&
        normalizeName(name) !== undefined
      )
        return { user, name };
    }
  } catch {
    // Storage is denied, or holds something else.
  }
  const person = personOf(alias());
  return person && { user: person.user, name: person.name };
}

/** Stores the identity where that is possible; without storage, the next page load asks again. */
export function remember(identity: Identity): void {
  try {
    localStorage.setItem(key(), JSON.stringify(identity));
  } catch {
    // Storage is denied or full: the identity lasts until the page is closed.
  }
}

export function forgetIdentity(): void {
  try {
    localStorage.removeItem(key());
  } catch {
    // Nothing to remove.
  }
}

/**
 * A new user id. Not `crypto.randomUUID`, which is not available on pages served over plain HTTP in a local network.
 */
export function newUser(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return `guest-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** The name with white space collapsed; undefined if nothing is left. */
export function normalizeName(typed: string): string | undefined {
  // Also removes invisible characters and those that change the text direction, but keeps joiners, which hold emoji
  // together.
  const name = typed.replace(/[\s\p{Cc}\p{Cs}\u200b\u202a-\u202e\u2066-\u2069]+/gu, " ").trim();
  return name === "" ? undefined : Array.from(name).slice(0, MAX_NAME).join("");
}

/** The URL of this page for another person in the same browser. */
export function addressAs(user: string): string {
  const url = new URL(location.href);
  url.searchParams.set("as", user);
  return url.href;
}

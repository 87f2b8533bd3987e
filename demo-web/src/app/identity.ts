// Who the visitor is: a user id that stays, and a name. Kept in localStorage where that is allowed. A page opened with
// `?as=…` is another person in the same browser, so that one can talk with oneself; `?as=grace` is that person at once.

import { personOf } from "../people/people";

export interface Identity {
  readonly user: string;
  readonly name: string;
}

/** Longest name, in characters. The protocol takes 128 bytes; a character has at most four. */
export const MAX_NAME = 32;

const KEY = "everwire-demo.identity";

const alias = () => new URLSearchParams(location.search).get("as") ?? "";

/** The key of this page's identity: one for each value of `?as=`. */
function key(): string {
  const as = alias();
  return as ? `${KEY}.${as}` : KEY;
}

/** Whom this browser knows; undefined for a new visitor, or where storage is denied. */
export function rememberedIdentity(): Identity | undefined {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key()) ?? "null");
    if (typeof stored === "object" && stored !== null) {
      const { user, name } = stored as Partial<Record<keyof Identity, unknown>>;
      if (typeof user === "string" && user !== "" && typeof name === "string" && tidyName(name) !== undefined)
        return { user, name };
    }
  } catch {
    // Storage is denied, or holds something else.
  }
  const person = personOf(alias());
  return person && { user: person.user, name: person.name };
}

/** Remembers the visitor where that is possible; without storage, the next load asks again. */
export function remember(identity: Identity): void {
  try {
    localStorage.setItem(key(), JSON.stringify(identity));
  } catch {
    // Storage is denied or full: the visitor stays who he is until the page is left.
  }
}

export function forgetIdentity(): void {
  try {
    localStorage.removeItem(key());
  } catch {
    // There is nothing to forget.
  }
}

/** A new user id. Not `crypto.randomUUID`, which a page served over plain http in a local network does not have. */
export function newUser(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return `guest-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** The name without needless space; undefined if nothing is left. */
export function tidyName(typed: string): string | undefined {
  // Also without what is invisible or turns the direction of the text around; but a joiner may hold an emoji together.
  const name = typed.replace(/[\s\p{Cc}\p{Cs}\u200b\u202a-\u202e\u2066-\u2069]+/gu, " ").trim();
  return name === "" ? undefined : Array.from(name).slice(0, MAX_NAME).join("");
}

/** The address of this page for another person in the same browser. */
export function addressAs(user: string): string {
  const url = new URL(location.href);
  url.searchParams.set("as", user);
  return url.href;
}

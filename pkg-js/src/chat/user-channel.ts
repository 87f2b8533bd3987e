// The channel of a user. Any text can be a user id, but not any text a channel name: docs/protocol.md has the encoding.

import { USER_PREFIX } from "../generated/protocol.js";

/** The name of a user's own channel, on which a back end reaches that user. */
export function userChannel(user: string): string {
  if (/^[\w\-@,.;:][\w\-=@,.;:]*$/.test(user)) return USER_PREFIX + user;
  const bytes = String.fromCharCode(...new TextEncoder().encode(user));
  const digits = btoa(bytes).replace(/[+/=]/g, (digit) => ({ "+": "-", "/": "_" })[digit] ?? "");
  return `${USER_PREFIX}=${digits}`;
}

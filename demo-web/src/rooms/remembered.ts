// The rooms that this visitor made or was sent to, beside the given ones. Kept in localStorage where that is allowed.

import { GIVEN_ROOMS, slugOf } from "./names";

const KEY = "everwire-demo.rooms";

/** How many are kept: the list stays one that can be read. */
const KEPT = 12;

/** Own rooms, the latest first. */
export function rememberedRooms(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    if (!Array.isArray(stored)) return [];
    return stored
      .filter((slug): slug is string => typeof slug === "string" && slugOf(slug) === slug)
      .slice(0, KEPT);
  } catch {
    return [];
  }
}

/** Puts a room first in the list; returns the new list. */
export function rememberRoom(slug: string, rooms: readonly string[]): string[] {
  if (GIVEN_ROOMS.has(slug) || rooms.includes(slug)) return [...rooms];
  const next = [slug, ...rooms].slice(0, KEPT);
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Not remembered: the list holds until the page is left.
  }
  return next;
}

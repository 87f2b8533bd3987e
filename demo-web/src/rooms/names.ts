// Rooms: what they are called here, and which channels they are. A room is a presence channel, so that it lists who is there.

/** A room as a person and as Everwire knows it. */
export interface RoomName {
  /** In the address, and what people read: `general`. */
  readonly slug: string;
  /** The channel: `presence-room.general`. */
  readonly channel: string;
}

const PREFIX = "presence-room.";

/** Longest slug. A channel name may have 200 bytes; nobody reads a room name of that length. */
export const MAX_SLUG = 40;

/** The rooms that are always there, with a line on what to do in them. */
export const GIVEN_ROOMS: ReadonlyMap<string, string> = new Map([
  ["general", "For everyone, about anything."],
  ["kitchen", "Who finished the coffee?"],
  ["night-shift", "For those who are still up."],
]);

export function roomOf(slug: string): RoomName {
  return { slug, channel: PREFIX + slug };
}

/** Makes a slug of what a person typed; undefined if nothing that a channel name may hold is left of it. */
export function slugOf(typed: string): string | undefined {
  const slug = typed
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9_]+/g, "-")
    .slice(0, MAX_SLUG)
    .replace(/^-+|-+$/g, "");
  return slug === "" ? undefined : slug;
}

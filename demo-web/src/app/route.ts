// Which room the address names: `#general`. The hash, so that a link opens a room and no server has to know of it.

import { useSyncExternalStore } from "react";
import { slugOf } from "../rooms/names";

const DEFAULT = "general";

function current(): string {
  let hash = location.hash.replace(/^#\/?/, "");
  try {
    hash = decodeURIComponent(hash);
  } catch {
    // Not an encoded text: take it as it is.
  }
  return slugOf(hash) ?? DEFAULT;
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

/** The slug of the room that is open. */
export function useRoomSlug(): string {
  return useSyncExternalStore(subscribe, current);
}

/** The address of a room, for links. */
export function hrefOfRoom(slug: string): string {
  return `#${slug}`;
}

export function openRoom(slug: string): void {
  location.hash = hrefOfRoom(slug);
}

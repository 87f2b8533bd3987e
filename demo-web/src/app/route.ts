// Which page the address names: `#/` the chats, `#/chat/{id}` one of them, `#/board` the live board. The hash, so that a link
// opens a page and no server has to know of it.

import { useSyncExternalStore } from "react";

export type Route =
  | { readonly page: "chats" }
  | { readonly page: "chat"; readonly id: string }
  | { readonly page: "board" };

/** Anything that is no page is the list of chats. */
export function routeOf(hash: string): Route {
  const [page, id] = hash.replace(/^#?\/?/, "").split("/");
  if (page === "board") return { page };
  if (page === "chat" && id) {
    try {
      return { page, id: decodeURIComponent(id) };
    } catch {
      return { page: "chats" };
    }
  }
  return { page: "chats" };
}

export const HREF_OF_CHATS = "#/";
export const HREF_OF_BOARD = "#/board";

export function hrefOfChat(id: string): string {
  return `#/chat/${encodeURIComponent(id)}`;
}

export function openChat(id: string): void {
  location.hash = hrefOfChat(id);
}

export function openChats(): void {
  location.hash = HREF_OF_CHATS;
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

let last: { hash: string; route: Route } | undefined;

/** The same object as long as the address is the same. */
function current(): Route {
  const { hash } = location;
  if (last?.hash !== hash) last = { hash, route: routeOf(hash) };
  return last.route;
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, current);
}

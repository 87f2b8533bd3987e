// The routes: `#/` is the chat list, `#/chat/{id}` a chat, `#/board` the live board. They are in the hash, so that
// links work without routes on the server.

import { useSyncExternalStore } from "react";

export type Route =
  | { readonly page: "chats" }
  | { readonly page: "chat"; readonly id: string }
  | { readonly page: "board" };

/** Unknown routes lead to the chat list. */
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

/** The same object as long as the hash does not change. */
function current(): Route {
  const { hash } = location;
  if (last?.hash !== hash) last = { hash, route: routeOf(hash) };
  return last.route;
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, current);
}

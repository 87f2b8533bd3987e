// The title of the window: how many messages are not read, and which page this is.

import { useEffect } from "react";
import { titleOf } from "../chats/titles";
import { useChatList } from "../messenger/context";
import type { Route } from "./route";

export function useTitle(route: Route, me: string): void {
  const chats = useChatList();
  const unread = chats.reduce((sum, chat) => sum + chat.unread, 0);
  const chat = route.page === "chat" ? chats.find(({ id }) => id === route.id) : undefined;
  const page = route.page === "board" ? "Live board" : chat ? titleOf(chat, me) : "Chats";
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${page} · Everwire`;
  }, [unread, page]);
}

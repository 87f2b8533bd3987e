// The document title: the unread count and the name of the page.

import { useEffect } from "react";
import { titleOf } from "../chats/titles";
import { useChatList } from "../messenger/context";
import type { Route } from "../page/route";
import { useVisible } from "../page/useVisible";

export function useTitle(route: Route, me: string): void {
  const chats = useChatList();
  const visible = useVisible();
  const chat = route.page === "chat" ? chats.find(({ id }) => id === route.id) : undefined;
  // The visible chat does not count as unread, even before the server has confirmed that it was read.
  const unread = chats.reduce((sum, one) => sum + (visible && one === chat ? 0 : one.unread), 0);
  const page = route.page === "board" ? "Live board" : chat ? titleOf(chat, me) : "Chats";
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${page} · Everwire`;
  }, [unread, page]);
}

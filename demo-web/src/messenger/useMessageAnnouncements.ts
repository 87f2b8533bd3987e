// Tells the screen reader of messages of others as they come, in whatever chat they come.

import { useEffect } from "react";
import type { Announcer } from "../app/announcer";
import { textOf, titleOf } from "../chats/titles";
import { nameOf } from "../people/people";
import type { Chats } from "./messengerApi";

export function useHearing(chats: Chats, me: string, announcer: Announcer): void {
  useEffect(() => {
    /** The last message of each chat, as far as it was told. */
    const told = new Map<string, number>();
    let ready = false;
    const look = () => {
      for (const chat of chats.list) {
        const { id, last, kind, members } = chat;
        const before = told.get(id);
        const offset = last?.offset ?? 0;
        told.set(id, offset);
        if (!ready || !last || last.user === me || (before !== undefined && offset <= before)) continue;
        const known = members.find(({ user }) => user === last.user);
        const name = nameOf({ user: last.user, name: known?.name ?? last.name });
        announcer.heard(kind === "direct" ? name : `${name} in ${titleOf(chat, me)}`, textOf(last.data));
      }
    };
    const off = chats.on("change", look);
    look();
    // What is there when the list comes is no news.
    chats.ready.then(
      () => {
        look();
        ready = true;
      },
      () => undefined,
    );
    return off;
  }, [chats, me, announcer]);
}

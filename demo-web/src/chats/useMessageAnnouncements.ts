// Announces incoming messages of all chats to screen readers.

import { useEffect } from "react";
import type { Chats } from "../messenger/messengerApi";
import type { Announcer } from "../page/announcer";
import { nameOf } from "../people/people";
import { textOf, titleOf } from "./titles";

export function useMessageAnnouncements(chats: Chats, me: string, announcer: Announcer): void {
  useEffect(() => {
    /** The last announced offset of each chat. */
    const announced = new Map<string, number>();
    let ready = false;
    const update = () => {
      for (const chat of chats.list) {
        const { id, last, kind, members } = chat;
        const before = announced.get(id);
        const offset = last?.offset ?? 0;
        announced.set(id, offset);
        if (!ready || !last || last.user === me || (before !== undefined && offset <= before)) continue;
        const known = members.find(({ user }) => user === last.user);
        const name = nameOf({ user: last.user, name: known?.name ?? last.name });
        announcer.announceMessage(
          kind === "direct" ? name : `${name} in ${titleOf(chat, me)}`,
          textOf(last.data),
        );
      }
    };
    const off = chats.on("change", update);
    update();
    // Messages of the initial list are not announced.
    chats.ready.then(
      () => {
        update();
        ready = true;
      },
      () => undefined,
    );
    return off;
  }, [chats, me, announcer]);
}

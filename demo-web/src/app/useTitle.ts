// The title of the window: the room, and how many messages came while nobody was looking.

import { useEffect } from "react";
import type { RoomStore } from "../room/store";

export function useTitle(store: RoomStore): void {
  useEffect(() => {
    let unseen = 0;
    const show = () => {
      document.title = `${unseen > 0 ? `(${unseen}) ` : ""}#${store.slug} · Everwire`;
    };
    const seen = () => {
      if (document.hidden) return;
      unseen = 0;
      show();
    };
    const off = store.onArrival(() => {
      if (!document.hidden) return;
      unseen++;
      show();
    });
    document.addEventListener("visibilitychange", seen);
    show();
    return () => {
      off();
      document.removeEventListener("visibilitychange", seen);
    };
  }, [store]);
}

// The users who are online, for the contact list.

import { useCallback, useSyncExternalStore } from "react";
import { useMessenger } from "../messenger/context";
import type { Member, Unsubscribe } from "../messenger/messengerApi";

const NOBODY: readonly Member[] = [];

/** The channel API of the client. The in-memory client has none. */
interface Users {
  channel?(name: "presence-users"): {
    readonly members: readonly Member[];
    on(event: "members", listener: () => void): Unsubscribe;
    subscribe(): Promise<unknown>;
  };
}

export function useOnline(): readonly Member[] {
  const users = (useMessenger() as unknown as Users).channel?.("presence-users");
  const subscribe = useCallback(
    (changed: () => void) => {
      if (!users) return () => undefined;
      // Stays subscribed, so that the list is available at once the next time.
      users.subscribe().catch(() => undefined);
      return users.on("members", changed);
    },
    [users],
  );
  return useSyncExternalStore(subscribe, () => users?.members ?? NOBODY);
}

// Who is online now, whoever they are: for the list of people to write to.

import { useCallback, useSyncExternalStore } from "react";
import { useMessenger } from "../messenger/context";
import type { Member, Off } from "../messenger/messengerApi";

const NOBODY: readonly Member[] = [];

/** What a client has besides chats. The one in memory has it not. */
interface Users {
  channel?(name: "presence-users"): {
    readonly members: readonly Member[];
    on(event: "members", listener: () => void): Off;
    subscribe(): Promise<unknown>;
  };
}

export function useOnline(): readonly Member[] {
  const users = (useMessenger() as unknown as Users).channel?.("presence-users");
  const subscribe = useCallback(
    (changed: () => void) => {
      if (!users) return () => undefined;
      // Stays subscribed: the list is there at once the next time.
      users.subscribe().catch(() => undefined);
      return users.on("members", changed);
    },
    [users],
  );
  return useSyncExternalStore(subscribe, () => users?.members ?? NOBODY);
}

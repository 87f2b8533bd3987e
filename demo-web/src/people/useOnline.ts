// The users who are online, for the contact list.

import { useCallback, useSyncExternalStore } from "react";
import { PRESENCE_USERS } from "../../../protocol/generated/protocol";
import { useMessenger } from "../messenger/context";
import type { Member } from "../messenger/messengerApi";

export function useOnline(): readonly Member[] {
  const users = useMessenger().channel(PRESENCE_USERS);
  const subscribe = useCallback(
    (changed: () => void) => {
      // Stays subscribed, so that the list is available at once the next time.
      users.subscribe().catch(() => undefined);
      return users.on("members", changed);
    },
    [users],
  );
  return useSyncExternalStore(subscribe, () => users.members);
}

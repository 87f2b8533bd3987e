// Hooks for chats, notifications and the status of users, all of the provider's client. Nothing is asked of the server
// before a component is mounted.

import { useCallback, useState, useSyncExternalStore } from "react";
import type { ChatRoom } from "../chat/chat-room.js";
import type { NotificationItem } from "../chat/notifications.js";
import type { Chat, UserStatus } from "../core/events.js";
import { retainRoom } from "../integration/reference-counts.js";
import { StatusTracker } from "../integration/status-tracker.js";
import { useClient } from "./client.js";

const NO_CHATS: readonly Chat[] = [];
const NO_NOTIFICATIONS: readonly NotificationItem[] = [];
const NO_STATUS: ReadonlyMap<string, UserStatus> = new Map();

/** The user's chats, those with the latest activity first. What can be done with them is in `client.chats`. */
export function useChats(): readonly Chat[] {
  const client = useClient();
  return useSyncExternalStore(
    useCallback((changed) => client.chats.on("change", changed), [client]),
    () => client._chats.list,
    () => NO_CHATS,
  );
}

/** The chat of this id, open for as long as the component is mounted; renders again when anything in it changed. */
export function useChat(id: string): ChatRoom {
  const client = useClient();
  const room = client.chat(id);
  useSyncExternalStore(
    useCallback(
      (changed) => {
        const off = room.on("change", changed);
        const release = retainRoom(room);
        return () => {
          off();
          release();
        };
      },
      [room],
    ),
    () => room._version,
    () => 0,
  );
  return room;
}

/** The user's notifications, the latest first. How they are marked as read is in `client.notifications`. */
export function useNotifications(): readonly NotificationItem[] {
  const client = useClient();
  return useSyncExternalStore(
    useCallback((changed) => client.notifications.on("change", changed), [client]),
    () => client._notifications.list,
    () => NO_NOTIFICATIONS,
  );
}

/** How these users can be reached, by user, as far as it is known yet. */
export function useStatus(users: readonly string[]): ReadonlyMap<string, UserStatus> {
  const client = useClient();
  const [watch] = useState(() => new StatusTracker());
  const names = JSON.stringify(users);
  return useSyncExternalStore(
    useCallback(
      (changed) => {
        const off = watch.on("change", changed);
        const end = watch.follow(client, JSON.parse(names));
        return () => {
          off();
          end();
        };
      },
      [client, watch, names],
    ),
    () => watch.known,
    () => NO_STATUS,
  );
}

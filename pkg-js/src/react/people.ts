// Hooks for chats, notifications and the status of users, all of the provider's client. Nothing is requested
// before a component is mounted.

import { useCallback, useState, useSyncExternalStore } from "react";
import type { Chat } from "../chat/chat.js";
import { type ChatClient, createChat } from "../chat/chat-client.js";
import type { ChatRoom } from "../chat/chat-room.js";
import type { NotificationItem } from "../chat/notifications.js";
import type { UserStatus } from "../core/events.js";
import { retainRoom } from "../integration/reference-counts.js";
import { StatusTracker } from "../integration/status-tracker.js";
import { useClient } from "./client.js";

const NO_CHATS: readonly Chat[] = [];
const NO_NOTIFICATIONS: readonly NotificationItem[] = [];
const NO_STATUS: ReadonlyMap<string, UserStatus> = new Map();

/** The chats and notifications of the provider's client, for making changes. */
export function useChatClient(): ChatClient {
  return createChat(useClient());
}

/**
 * The user's chats, sorted by latest activity. {@link useChatsComplete} tells whether these are all of them. Change them with
 * `useChatClient().chats`.
 */
export function useChats(): readonly Chat[] {
  const chat = useChatClient();
  return useSyncExternalStore(
    useCallback((changed) => chat.chats.on("change", changed), [chat]),
    () => chat._chats.list,
    () => NO_CHATS,
  );
}

/** Whether `useChats` has all chats: an empty list before that is still being loaded. */
export function useChatsComplete(): boolean {
  const chat = useChatClient();
  return useSyncExternalStore(
    useCallback((changed) => chat.chats.on("change", changed), [chat]),
    () => chat._chats.complete,
    () => false,
  );
}

/** The chat with this id, open while the component is mounted; rerenders when anything in it changes. */
export function useChat(id: string): ChatRoom {
  const room = useChatClient().room(id);
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

/** The user's notifications, latest first. Mark them as read with `useChatClient().notifications`. */
export function useNotifications(): readonly NotificationItem[] {
  const chat = useChatClient();
  return useSyncExternalStore(
    useCallback((changed) => chat.notifications.on("change", changed), [chat]),
    () => chat._notifications.list,
    () => NO_NOTIFICATIONS,
  );
}

/** The status of these users, by user, as far as it is known. */
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

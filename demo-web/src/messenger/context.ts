// Where the views find the client, and hooks that follow what it has. Each gives a value that stays the same until it changes.

import { createContext, useCallback, useContext, useSyncExternalStore } from "react";
import type {
  Chat,
  ChatRow,
  Chats,
  MessengerClient,
  NotificationItem,
  Off,
  PresenceChannel,
  Room,
  Typist,
} from "./messengerApi";

export const MessengerContext = createContext<MessengerClient | undefined>(undefined);

export function useMessenger(): MessengerClient {
  const client = useContext(MessengerContext);
  if (!client) throw new Error("There is no client around this component.");
  return client;
}

/** Follows something that says when it changed. */
export function useFollowed<Source, Value>(
  source: Source,
  listen: (source: Source, changed: () => void) => Off,
  read: (source: Source) => Value,
): Value {
  // biome-ignore lint/correctness/useExhaustiveDependencies: how to listen never depends on anything but the source
  const subscribe = useCallback((changed: () => void) => listen(source, changed), [source]);
  return useSyncExternalStore(subscribe, () => read(source));
}

type Changing = { on(event: "change", listener: () => void): Off };

const onChange = (source: Changing, changed: () => void) => source.on("change", changed);

/** One's chats, those with the latest activity first. */
export function useChatList(): readonly Chat[] {
  return useFollowed<Chats, readonly Chat[]>(useMessenger().chats, onChange, ({ list }) => list);
}

/** A chat of one's own; undefined if it is none. */
export function useChatInfo(id: string): Chat | undefined {
  return useFollowed<Chats, Chat | undefined>(useMessenger().chats, onChange, (chats) => chats.get(id));
}

export function useRows(room: Room): readonly ChatRow[] {
  return useFollowed<Room["messages"], readonly ChatRow[]>(room.messages, onChange, ({ rows }) => rows);
}

export function useHasOlder(room: Room): boolean {
  return useFollowed<Room["messages"], boolean>(room.messages, onChange, ({ hasOlder }) => hasOlder);
}

export function useTypists(room: Room): readonly Typist[] {
  return useFollowed<Room, readonly Typist[]>(
    room,
    ({ channel }, changed) => channel.on("typing", changed),
    ({ typists }) => typists,
  );
}

export function useHere(room: Room): PresenceChannel["members"] {
  return useFollowed<PresenceChannel, PresenceChannel["members"]>(
    room.presence,
    (presence, changed) => presence.on("members", changed),
    ({ members }) => members,
  );
}

export function useNotificationList(): readonly NotificationItem[] {
  return useFollowed<MessengerClient["notifications"], readonly NotificationItem[]>(
    useMessenger().notifications,
    onChange,
    ({ list }) => list,
  );
}

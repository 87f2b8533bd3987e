// The React context of the client, and hooks that follow its observable values. Each value is the same object until it
// changes.

import { createContext, useCallback, useContext, useSyncExternalStore } from "react";
import type {
  Chat,
  ChatRow,
  Chats,
  MessengerClient,
  NotificationItem,
  PresenceChannel,
  Room,
  Typist,
  Unsubscribe,
} from "./messengerApi";

export const MessengerContext = createContext<MessengerClient | undefined>(undefined);

export function useMessenger(): MessengerClient {
  const client = useContext(MessengerContext);
  if (!client) throw new Error("useMessenger() must be used inside MessengerContext.Provider.");
  return client;
}

/** Follows an observable value. */
export function useObservable<Source, Value>(
  source: Source,
  listen: (source: Source, changed: () => void) => Unsubscribe,
  read: (source: Source) => Value,
): Value {
  // biome-ignore lint/correctness/useExhaustiveDependencies: how to listen never depends on anything but the source
  const subscribe = useCallback((changed: () => void) => listen(source, changed), [source]);
  return useSyncExternalStore(subscribe, () => read(source));
}

type Observable = { on(event: "change", listener: () => void): Unsubscribe };

const onChange = (source: Observable, changed: () => void) => source.on("change", changed);

/** The user's chats, latest activity first. */
export function useChatList(): readonly Chat[] {
  return useObservable<Chats, readonly Chat[]>(useMessenger().chats, onChange, ({ list }) => list);
}

/** One of the user's chats; undefined if there is no such chat. */
export function useChatInfo(id: string): Chat | undefined {
  return useObservable<Chats, Chat | undefined>(useMessenger().chats, onChange, (chats) => chats.get(id));
}

export function useRows(room: Room): readonly ChatRow[] {
  return useObservable<Room["messages"], readonly ChatRow[]>(room.messages, onChange, ({ rows }) => rows);
}

export function useHasOlder(room: Room): boolean {
  return useObservable<Room["messages"], boolean>(room.messages, onChange, ({ hasOlder }) => hasOlder);
}

export function useTypists(room: Room): readonly Typist[] {
  return useObservable<Room, readonly Typist[]>(
    room,
    ({ channel }, changed) => channel.on("typing", changed),
    ({ typists }) => typists,
  );
}

export function usePresentMembers(room: Room): PresenceChannel["members"] {
  return useObservable<PresenceChannel, PresenceChannel["members"]>(
    room.presence,
    (presence, changed) => presence.on("members", changed),
    ({ members }) => members,
  );
}

export function useNotificationList(): readonly NotificationItem[] {
  return useObservable<MessengerClient["notifications"], readonly NotificationItem[]>(
    useMessenger().notifications,
    onChange,
    ({ list }) => list,
  );
}

// Composables for chats, notifications and the status of users, all of the provider's client. Nothing is
// requested before a component is mounted.

import { type MaybeRefOrGetter, type ShallowRef, shallowRef, toValue, triggerRef } from "vue";
import type { Chat } from "../chat/chat.js";
import { type ChatClient, createChat } from "../chat/chat-client.js";
import type { ChatList } from "../chat/chat-list.js";
import type { ChatRoom } from "../chat/chat-room.js";
import type { NotificationItem } from "../chat/notifications.js";
import type { UserStatus } from "../core/events.js";
import { retainRoom } from "../integration/reference-counts.js";
import { StatusTracker } from "../integration/status-tracker.js";
import { useClient, whileMounted } from "./client.js";

/** The chats and notifications of the provider's client, for making changes. */
export function useChatClient(): ChatClient {
  return createChat(useClient());
}

/**
 * The user's chats, sorted by latest activity. {@link useChatsComplete} tells whether these are all of them. Change them with
 * `useChatClient().chats`.
 */
export function useChats(): Readonly<ShallowRef<readonly Chat[]>> {
  return ofChats<readonly Chat[]>([], ({ list }) => list);
}

/** Whether `useChats` has all chats: an empty list before that is still being loaded. */
export function useChatsComplete(): Readonly<ShallowRef<boolean>> {
  return ofChats<boolean>(false, ({ complete }) => complete);
}

function ofChats<Value>(before: Value, read: (chats: ChatList) => Value): ShallowRef<Value> {
  const chat = useChatClient();
  const value = shallowRef(before);
  whileMounted(
    () => chat,
    ({ chats }) => {
      const update = () => {
        value.value = read(chats);
      };
      update();
      return chats.on("change", update);
    },
  );
  return value;
}

/** The chat with this id, open while the component is mounted. The ref triggers when anything in it changes. */
export function useChat(id: MaybeRefOrGetter<string>): Readonly<ShallowRef<ChatRoom>> {
  const chat = useChatClient();
  const shown = shallowRef(chat.room(toValue(id)));
  whileMounted(
    () => chat.room(toValue(id)),
    (room) => {
      shown.value = room;
      const off = room.on("change", () => triggerRef(shown));
      const release = retainRoom(room);
      return () => {
        off();
        release();
      };
    },
  );
  return shown;
}

/** The user's notifications, latest first. Mark them as read with `useChatClient().notifications`. */
export function useNotifications(): Readonly<ShallowRef<readonly NotificationItem[]>> {
  const chat = useChatClient();
  const list = shallowRef<readonly NotificationItem[]>([]);
  whileMounted(
    () => chat,
    ({ notifications }) => {
      const read = () => {
        list.value = notifications.list;
      };
      read();
      return notifications.on("change", read);
    },
  );
  return list;
}

/** The status of these users, by user, as far as it is known. */
export function useStatus(
  users: MaybeRefOrGetter<readonly string[]>,
): Readonly<ShallowRef<ReadonlyMap<string, UserStatus>>> {
  const client = useClient();
  const status = new StatusTracker();
  const known = shallowRef(status.known);
  whileMounted(
    () => JSON.stringify(toValue(users)),
    (names) => {
      const off = status.on("change", () => {
        known.value = status.known;
      });
      const end = status.follow(client, JSON.parse(names));
      return () => {
        off();
        end();
      };
    },
  );
  return known;
}

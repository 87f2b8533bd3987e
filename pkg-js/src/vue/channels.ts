// Composables for the connection's state and for channels. Each keeps its channel subscribed for as long as its component
// is mounted. Those for chats and people are in ./people.ts.

import {
  type ComputedRef,
  computed,
  inject,
  type MaybeRefOrGetter,
  type ShallowRef,
  shallowRef,
  toValue,
} from "vue";
import type { Row } from "../chat/message-list.js";
import type { Channel } from "../core/channel.js";
import type { Client } from "../core/client.js";
import type { ConnectionState, DefaultEvents, Member, MessageData, Typist } from "../core/events.js";
import {
  attach,
  DEFAULT_LIMIT,
  handlerNames,
  type UseChannelOptions,
  type UseMessagesOptions,
} from "../integration/handlers.js";
import { peekMessages, retain, retainMessages } from "../integration/reference-counts.js";
import { KEY, useClient, whileMounted } from "./client.js";

/** A channel's name or the channel itself, which may change. */
export type ChannelSource<Events extends object> = MaybeRefOrGetter<string | Channel<Events>>;

/** What the connection is doing; of the provider's client, if none is given. */
export function useConnectionState(client: Client = useClient()): Readonly<ShallowRef<ConnectionState>> {
  const state = shallowRef(client.state);
  whileMounted(
    () => client,
    () => {
      state.value = client.state;
      return client.on("state", (now) => {
        state.value = now;
      });
    },
  );
  return state;
}

/** Keeps a channel subscribed, and listens with `onMessage`, `onEvent`, `onGap` and so on. */
export function useChannel<Events extends object = DefaultEvents>(
  channel: ChannelSource<Events>,
  options: UseChannelOptions<Events> = {},
): ComputedRef<Channel<Events>> {
  const source = useSource(channel);
  whileMounted(
    () => source.value,
    (now) => {
      const off = attach(now, handlerNames(options), () => options);
      const release = retain(now, options);
      return () => {
        off();
        release();
      };
    },
  );
  return source as unknown as ComputedRef<Channel<Events>>;
}

/**
 * The channel's plain messages and one's own that are on their way, merged by id. `recent` counts if this is what
 * subscribes the channel first.
 */
export function useMessages<Events extends object = DefaultEvents>(
  channel: ChannelSource<Events>,
  { limit = DEFAULT_LIMIT, recent }: UseMessagesOptions = {},
): Readonly<ShallowRef<readonly Row<MessageData<Events>>[]>> {
  const source = useSource(channel);
  const rows = shallowRef<readonly Row<MessageData<Events>>[]>([]);
  whileMounted(
    () => source.value,
    (now) => {
      const read = () => {
        rows.value = (peekMessages(now, limit)?.rows ?? []) as readonly Row<MessageData<Events>>[];
      };
      const release = retainMessages(now, limit, { recent }, read);
      read();
      return release;
    },
  );
  return rows;
}

/** Who else is typing in the channel. For one's own keys there is `Channel.typing`. */
export function useTyping<Events extends object = DefaultEvents>(
  channel: ChannelSource<Events>,
): Readonly<ShallowRef<readonly Typist[]>> {
  const source = useSource(channel);
  const typists = shallowRef<readonly Typist[]>([]);
  whileMounted(
    () => source.value,
    (now) => {
      typists.value = now.typists;
      const off = now.on("typing", (all) => {
        typists.value = all;
      });
      const release = retain(now);
      return () => {
        off();
        release();
      };
    },
  );
  return typists;
}

/** Who is present in the channel. */
export function useMembers<Events extends object = DefaultEvents>(
  channel: ChannelSource<Events>,
): Readonly<ShallowRef<readonly Member[]>> {
  const source = useSource(channel);
  const members = shallowRef<readonly Member[]>([]);
  whileMounted(
    () => source.value,
    (now) => {
      members.value = now.members;
      const off = now.on("members", (all) => {
        members.value = all;
      });
      const release = retain(now);
      return () => {
        off();
        release();
      };
    },
  );
  return members;
}

function useSource<Events extends object>(channel: ChannelSource<Events>): ComputedRef<Channel<object>> {
  // A channel that is given needs no provider.
  const client = inject(KEY, undefined);
  return computed(() => {
    const now = toValue(channel);
    if (typeof now !== "string") return now as unknown as Channel<object>;
    if (client === undefined) throw new Error("There is no EverwireProvider around this component.");
    return client.channel<object>(now);
  });
}

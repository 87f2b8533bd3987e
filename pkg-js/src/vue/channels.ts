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

/** A channel or its name, which may change. */
export type ChannelSource<Events extends object> = MaybeRefOrGetter<string | Channel<Events>>;

/** The state of the connection; of the provider's client by default. */
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

/** Keeps a channel subscribed, with the handlers `onMessage`, `onEvent`, `onGap` and so on. */
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
 * The channel's plain messages and the user's pending ones, merged by id. `recent` applies if this subscribes the channel
 * first.
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

/** The other users who are typing in the channel. Report keystrokes with `Channel.typing`. */
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

/** The members of a presence channel. {@link useMembersComplete} tells whether these are all of them. */
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

/** Whether `useMembers` has all members: not before the channel is subscribed, nor while pages of a long list arrive. */
export function useMembersComplete<Events extends object = DefaultEvents>(
  channel: ChannelSource<Events>,
): Readonly<ShallowRef<boolean>> {
  const source = useSource(channel);
  const complete = shallowRef(false);
  whileMounted(
    () => source.value,
    (now) => {
      const read = () => {
        complete.value = now.membersComplete;
      };
      read();
      const off = [now.on("members", read), now.on("subscribed", read)];
      const release = retain(now);
      return () => {
        for (const remove of off) remove();
        release();
      };
    },
  );
  return complete;
}

function useSource<Events extends object>(channel: ChannelSource<Events>): ComputedRef<Channel<object>> {
  // A given channel needs no provider.
  const client = inject(KEY, undefined);
  return computed(() => {
    const now = toValue(channel);
    if (typeof now !== "string") return now as unknown as Channel<object>;
    if (client === undefined) throw new Error("There is no EverwireProvider around this component.");
    return client.channel<object>(now);
  });
}

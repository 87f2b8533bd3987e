// Vue bindings: composables over the same client and channels. Nothing happens before a component is mounted, so server
// rendering works; what a component held is released when its scope ends.

import {
  type ComputedRef,
  computed,
  defineComponent,
  getCurrentInstance,
  getCurrentScope,
  type InjectionKey,
  inject,
  type MaybeRefOrGetter,
  onMounted,
  onScopeDispose,
  type PropType,
  provide,
  type ShallowRef,
  shallowRef,
  toValue,
  watch,
} from "vue";
import {
  attach,
  type BindingOptions,
  DEFAULT_LIMIT,
  handlerNames,
  makeClient,
  type UseChannelOptions,
  type UseMessagesOptions,
} from "../binding.js";
import type { Channel } from "../channel.js";
import type { Client } from "../client.js";
import type { ConnectionState, DefaultEvents, Member, MessageData } from "../events.js";
import type { Row } from "../messages.js";
import { peekMessages, retain, retainClient, retainMessages } from "../retain.js";

export type { BindingOptions, ChannelHandlers, UseChannelOptions, UseMessagesOptions } from "../binding.js";

const KEY: InjectionKey<Client> = Symbol("everwire");

/** A channel's name or the channel itself, which may change. */
export type ChannelSource<Events extends object> = MaybeRefOrGetter<string | Channel<Events>>;

/** Gives a client to the components inside it. */
export const EverwireProvider = defineComponent({
  name: "EverwireProvider",
  props: {
    /** A client that the application made and closes itself. */
    client: Object as PropType<Client>,
    /** Or options for one that lives with the provider. Another user or server needs another provider: use `key`. */
    options: Object as PropType<BindingOptions>,
  },
  setup(props, { slots }) {
    if (props.client !== undefined) provide(KEY, props.client);
    else if (props.options !== undefined) useEverwire(() => props.options as BindingOptions);
    else throw new Error("An EverwireProvider needs a client or options.");
    return () => slots.default?.();
  },
});

/** The client of the provider around this component. */
export function useClient(): Client {
  const client = inject(KEY, undefined);
  if (client === undefined) throw new Error("There is no EverwireProvider around this component.");
  return client;
}

/** Makes a client that connects when the component is mounted and closes when it is unmounted, and provides it. */
export function useEverwire(options: MaybeRefOrGetter<BindingOptions>): Client {
  const client = makeClient(toValue(options), () => toValue(options));
  provide(KEY, client);
  whileMounted(
    () => client,
    () => retainClient(client),
  );
  return client;
}

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

/** Runs `hold` for what `source` gives, from mounting to the end of the scope, and again when it gives something else. */
function whileMounted<Value>(source: () => Value, hold: (value: Value) => () => void): void {
  let release = () => {};
  const begin = () =>
    watch(
      source,
      (value) => {
        release();
        release = hold(value);
      },
      { immediate: true, flush: "sync" },
    );
  if (getCurrentInstance() !== null) onMounted(begin);
  else begin();
  if (getCurrentScope() !== undefined) onScopeDispose(() => release());
}

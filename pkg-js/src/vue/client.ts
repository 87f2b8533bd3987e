// Where components get their client from, and how something is held while a component is mounted.

import {
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
  toValue,
  watch,
} from "vue";
import type { Client } from "../core/client.js";
import { type BindingOptions, makeClient } from "../integration/handlers.js";
import { retainClient } from "../integration/reference-counts.js";

/** @internal */
export const KEY: InjectionKey<Client> = Symbol("everwire");

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

/** @internal Runs `hold` for what `source` gives, from mounting to the end of the scope, and again when it gives something else. */
export function whileMounted<Value>(source: () => Value, hold: (value: Value) => () => void): void {
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

// How components get their client, and how they hold something while mounted.

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

/** Provides a client to the components inside it. */
export const EverwireProvider = defineComponent({
  name: "EverwireProvider",
  props: {
    /** An existing client, which the application closes. */
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

/** Creates and provides a client that connects when the component is mounted and closes when it is unmounted. */
export function useEverwire(options: MaybeRefOrGetter<BindingOptions>): Client {
  const client = makeClient(toValue(options), () => toValue(options));
  provide(KEY, client);
  whileMounted(
    () => client,
    () => retainClient(client),
  );
  return client;
}

/** @internal Runs `hold` for the value of `source` from mounting to the end of the scope, and again when the value changes. */
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

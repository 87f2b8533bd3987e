// What the React and Vue bindings share besides reference counts: how a client is made without being started, and which
// handlers a component may give. Framework-free.

import type { Channel } from "../core/channel.js";
import { Client } from "../core/client.js";
import type { Unsubscribe } from "../core/emitter.js";
import type { ChannelEvents, ConnectOptions, SubscribeOptions } from "../core/events.js";
import { loadCore } from "../wasm/load.js";
import { loadInline } from "../wasm/load-inline.js";
import { from, type WasmSource } from "../wasm/source.js";

/** As for `connect`; with `wasm`, the WebAssembly comes from there instead of from the package's own chunk. */
export interface BindingOptions extends ConnectOptions {
  wasm?: WasmSource | undefined;
}

type Handled =
  | "message"
  | "event"
  | "subscribed"
  | "gap"
  | "joined"
  | "left"
  | "members"
  | "sending"
  | "error";

/** What a component may listen to: `onMessage`, `onEvent`, `onGap` and so on. */
export type ChannelHandlers<Events> = {
  [Name in Handled as `on${Capitalize<Name>}`]?: ((value: ChannelEvents<Events>[Name]) => void) | undefined;
};

/** How a component subscribes and what it listens to. */
export type UseChannelOptions<Events> = SubscribeOptions & ChannelHandlers<Events>;

/** How a component reads messages. */
export interface UseMessagesOptions extends Pick<SubscribeOptions, "recent"> {
  /** How many stored messages to keep, the latest ones; 200 by default. */
  limit?: number | undefined;
}

export const DEFAULT_LIMIT = 200;

/** Makes a client that does nothing yet. `latest` gives the options of the moment: token callbacks change per render. */
export function makeClient(options: BindingOptions, latest: () => BindingOptions): Client {
  const { wasm } = options;
  const token = async () => {
    const { token } = latest();
    return (typeof token === "function" ? await token() : token) ?? "";
  };
  return new Client(
    options.token === undefined ? options : { ...options, token },
    wasm === undefined ? loadInline : () => loadCore(from(() => wasm)),
  );
}

/** What makes a client another one: its options, as far as they name a server and a user. */
export function clientKey({ url, guest, transports }: BindingOptions): string {
  return JSON.stringify([url, guest?.user, guest?.name, transports]);
}

/** The names of the handlers among the options, as one text that stays equal while they are the same. */
export function handlerNames(options: object): string {
  return Object.entries(options)
    .filter(([name, value]) => /^on[A-Z]/.test(name) && value !== undefined)
    .map(([name]) => name)
    .sort()
    .join();
}

/** Listens with the named handlers; each is looked up when it is called, so that it may change. */
export function attach(channel: Channel<object>, names: string, latest: () => object): Unsubscribe {
  const offs = names.match(/\w+/g)?.map((name) => {
    const event = name.charAt(2).toLowerCase() + name.slice(3);
    return channel._emitter.on(event, (value) => {
      const handler = (latest() as Record<string, ((value: unknown) => unknown) | undefined>)[name];
      return handler?.(value);
    });
  });
  return () => {
    for (const off of offs ?? []) off();
  };
}

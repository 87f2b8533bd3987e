// Shared by the React and Vue bindings besides reference counts: how a client is created without being started, and the
// handlers of components. Independent of frameworks.

import type { Channel } from "../core/channel.js";
import { Client } from "../core/client.js";
import type { Unsubscribe } from "../core/emitter.js";
import type { ChannelEvents, ConnectOptions, SubscribeOptions } from "../core/events.js";
import { loadCore } from "../wasm/load.js";
import { loadInline } from "../wasm/load-inline.js";
import { from, type WasmSource } from "../wasm/source.js";

/** The options of `connect`; with `wasm`, the WebAssembly is taken from there instead of the package's own chunk. */
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

/** The handlers of a component: `onMessage`, `onEvent`, `onGap` and so on. */
export type ChannelHandlers<Events> = {
  [Name in Handled as `on${Capitalize<Name>}`]?: ((value: ChannelEvents<Events>[Name]) => void) | undefined;
};

/** The subscription options and handlers of a component. */
export type UseChannelOptions<Events> = SubscribeOptions & ChannelHandlers<Events>;

/** Options for reading messages. */
export interface UseMessagesOptions extends Pick<SubscribeOptions, "recent"> {
  /** How many of the latest stored messages to keep; 200 by default. */
  limit?: number | undefined;
}

export const DEFAULT_LIMIT = 200;

/** Creates a client without starting it. `latest` returns the current options: token callbacks change per render. */
export function makeClient(options: BindingOptions, latest: () => BindingOptions): Client {
  const { wasm } = options;
  const token = async () => {
    const { token } = latest();
    const given = await (typeof token === "function" ? token() : token);
    // Asked again after a while.
    if (!given) throw new Error("there is no token yet");
    return given;
  };
  // A token may come after the first render; only guests need none.
  return new Client(
    options.guest === undefined || options.token !== undefined ? { ...options, token } : options,
    wasm === undefined ? loadInline : () => loadCore(from(() => wasm)),
  );
}

/** Identifies a client by those options that determine the server and the user. */
export function clientKey({ url, guest, transports }: BindingOptions): string {
  return JSON.stringify([url, guest?.user, guest?.name, transports]);
}

/** The names of the handlers among the options, as one string for comparison. */
export function handlerNames(options: object): string {
  return Object.entries(options)
    .filter(([name, value]) => /^on[A-Z]/.test(name) && value !== undefined)
    .map(([name]) => name)
    .sort()
    .join();
}

/** Registers the named handlers; each is looked up when it is called, so it may change. */
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

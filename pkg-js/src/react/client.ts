// How components get their client: from a provider, or from a hook that creates one for the lifetime of a component.

import { createContext, createElement, type ReactNode, useContext, useEffect, useRef, useState } from "react";
import type { Client } from "../core/client.js";
import { type BindingOptions, clientKey, makeClient } from "../integration/handlers.js";
import { retainClient } from "../integration/reference-counts.js";

const Context = createContext<Client | undefined>(undefined);

/** Either an existing client, which the application closes, or options for one that lives with the provider. */
export type EverwireProviderProps = { children?: ReactNode } & (
  | { client: Client; options?: undefined }
  | { options: BindingOptions; client?: undefined }
);

/** Provides a client to the components inside it. */
export function EverwireProvider({ client, options, children }: EverwireProviderProps): ReactNode {
  if (client !== undefined) return createElement(Context.Provider, { value: client }, children);
  return createElement(Owner, { options }, children);
}

function Owner({ options, children }: { options: BindingOptions; children?: ReactNode }): ReactNode {
  return createElement(Context.Provider, { value: useEverwire(options) }, children);
}

/** The client of the provider around this component. */
export function useClient(): Client {
  return orThrow(useContext(Context));
}

/** @internal The given value, or else what `find` returns for the provider's client. */
export function useGivenOr<Given extends object>(
  given: Given | undefined,
  find: (client: Client) => Given,
): Given {
  const client = useContext(Context);
  return given ?? find(orThrow(client));
}

function orThrow(client: Client | undefined): Client {
  if (client === undefined) throw new Error("There is no <EverwireProvider> around this component.");
  return client;
}

/**
 * Creates a client that connects when the component is mounted and closes when it is unmounted. Changing `url`, `guest` or
 * `transports` creates another client; another user needs one too: give the component a `key` with the user's id.
 */
export function useEverwire(options: BindingOptions): Client {
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  const key = clientKey(options);
  const make = () => ({ key, client: makeClient(options, () => latest.current) });
  const [made, setMade] = useState(make);
  let current = made;
  if (made.key !== key) {
    current = make();
    setMade(current);
  }
  const { client } = current;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `make` is new for each render; only the client matters
  useEffect(() => {
    // Released while this component was hidden for a long time.
    if (client.state.status !== "closed") return retainClient(client);
    setMade(make());
    return undefined;
  }, [client]);
  return client;
}

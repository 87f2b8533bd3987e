// Observes values of the in-memory server.

import type { Unsubscribe } from "../messenger/messengerApi";
import type { FakeServer } from "./server";

/** Calls `listener` when the value of `read` changes. */
export function follow(server: FakeServer, read: () => unknown, listener: () => void): Unsubscribe {
  let last = read();
  return server.onChange(() => {
    const now = read();
    if (now === last) return;
    last = now;
    listener();
  });
}

/** Caches a value until the server changes, and keeps the same object if the value is equal. */
export function remembered<T>(server: FakeServer, make: () => T): () => T {
  let stale = false;
  let text: string | undefined;
  let value = make();
  server.onChange(() => {
    stale = true;
  });
  return () => {
    if (!stale) return value;
    stale = false;
    const next = make();
    const now = JSON.stringify(next);
    if (now !== (text ?? JSON.stringify(value))) value = next;
    text = now;
    return value;
  };
}

// Keeps sends that the server has not stored yet in IndexedDB, so that they survive a reload and a closed tab. It only stores
// them: the core decides what is sent when. Where storage is denied, nothing is kept and nothing fails.
//
// Tabs need no coordination: the id of a message never changes, and the server stores its first copy only.

import { uuid7 } from "./ids.js";

/** One stored message. */
export interface StoredSend {
  readonly id: string;
  /** The server's URL. */
  readonly server: string;
  /** The user who wrote it; "" until the server has confirmed the user. */
  readonly user: string;
  /** The tab in which it was written: messages without a user are restored there only. */
  readonly tab: string;
  /** The frame as JSON text. */
  readonly frame: string;
}

const STORE = "outbox";

/** The outbox of one client, in the database that all tabs of the origin share. */
export class OutboxStorage {
  #db: Promise<IDBDatabase | undefined> = open();
  #user: string;
  readonly #server: string;
  readonly #tab = tab();
  /** Messages written before the user was known. */
  readonly #anonymous = new Map<string, StoredSend>();

  /** `user`: the user, if known before the server confirms it. */
  constructor(server: string, user = "") {
    this.#server = server;
    this.#user = user;
  }

  put(id: string, frame: string): void {
    const kept: StoredSend = { id, server: this.#server, user: this.#user, tab: this.#tab, frame };
    if (this.#user === "") this.#anonymous.set(id, kept);
    this.#write((store) => store.put(kept));
  }

  delete(id: string): void {
    this.#anonymous.delete(id);
    this.#write((store) => store.delete(id));
  }

  /** The server has confirmed the user. Returns the user's unsent messages, oldest first. */
  async signedIn(user: string): Promise<readonly StoredSend[]> {
    this.#user = user;
    const mine = [...this.#anonymous.values()];
    this.#anonymous.clear();
    this.#write((store) => {
      for (const kept of mine) store.put({ ...kept, user });
    });
    const db = await this.#db;
    const all = db && (await result<StoredSend[]>(() => db.transaction(STORE).objectStore(STORE).getAll()));
    // The store is ordered by id, and ids by creation time.
    return (all ?? []).filter(
      (kept) =>
        kept.server === this.#server && (kept.user === user || (kept.user === "" && kept.tab === this.#tab)),
    );
  }

  /** Resolves after the last change. */
  close(): void {
    this.#db = this.#db.then((db) => {
      db?.close();
      return undefined;
    });
  }

  #write(act: (store: IDBObjectStore) => void): void {
    this.#db = this.#db.then((db) => {
      try {
        const transaction = db?.transaction(STORE, "readwrite");
        if (transaction !== undefined) {
          act(transaction.objectStore(STORE));
          // Committed explicitly: the page may be closed before an automatic commit.
          transaction.commit();
        }
      } catch {
        // The database was closed or is full. The message is still in memory.
      }
      return db;
    });
  }
}

/** The result of a request; undefined if it fails or throws. */
function result<Value>(make: () => IDBRequest<Value>): Promise<Value | undefined> {
  return new Promise((resolve) => {
    try {
      const request = make();
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(undefined);
    } catch {
      resolve(undefined);
    }
  });
}

async function open(): Promise<IDBDatabase | undefined> {
  const db = await result(() => {
    const request = indexedDB.open("everwire", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
    return request;
  });
  // A later version of the library in another tab must not wait for this one.
  if (db !== undefined) db.onversionchange = () => db.close();
  return db;
}

/** The id of this tab, kept across reloads where storage permits. */
function tab(): string {
  const key = "everwire:tab";
  try {
    const name = sessionStorage.getItem(key) ?? uuid7();
    sessionStorage.setItem(key, name);
    return name;
  } catch {
    return "none";
  }
}

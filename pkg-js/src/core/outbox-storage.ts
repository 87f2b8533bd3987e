// What has been sent and is not stored by the server yet, kept in IndexedDB so that it survives a reload and a closed tab.
// It only keeps: what is sent when is the core's decision. Where storage is denied, nothing is kept and nothing fails.
//
// Tabs need not agree on who takes what over: a message has one id for ever, and the server stores its first copy only.

import { uuid7 } from "./ids.js";

/** One message, as it is kept. */
export interface StoredSend {
  readonly id: string;
  /** The server's URL. */
  readonly server: string;
  /** Who wrote it; "" as long as the server has not said so. */
  readonly user: string;
  /** The tab that it was written in: only there is one without a user taken up again. */
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
  /** Written before it was known by whom. */
  readonly #anonymous = new Map<string, StoredSend>();

  /** `user`: who it is, if that is known before the server says so. */
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

  /** The server has said who this is. Gives what this user left unsent, oldest first. */
  async signedIn(user: string): Promise<readonly StoredSend[]> {
    this.#user = user;
    const mine = [...this.#anonymous.values()];
    this.#anonymous.clear();
    this.#write((store) => {
      for (const kept of mine) store.put({ ...kept, user });
    });
    const db = await this.#db;
    const all = db && (await result<StoredSend[]>(() => db.transaction(STORE).objectStore(STORE).getAll()));
    // The store is ordered by id, and ids by the time of their making.
    return (all ?? []).filter(
      (kept) =>
        kept.server === this.#server && (kept.user === user || (kept.user === "" && kept.tab === this.#tab)),
    );
  }

  /** After the last change. */
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
          // Not left to happen by itself: the page may be gone by then.
          transaction.commit();
        }
      } catch {
        // The database was closed or is full. The message is still in memory.
      }
      return db;
    });
  }
}

/** What a request gives; undefined if it fails, or cannot even be made. */
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

/** Names this tab across reloads, where storage allows. */
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

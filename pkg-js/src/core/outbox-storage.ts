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
  /** When it may have been sent first, in ms since 1970; absent if it never was. */
  readonly left?: number;
}

const STORE = "outbox";

/** The outbox of one client, in the database that all tabs of the origin share. */
export class OutboxStorage {
  #db: Promise<IDBDatabase | undefined> = open();
  #user: string;
  readonly #server: string;
  readonly #tab = tab();
  /** The messages of this page that are in the database, or should be. */
  readonly #kept = new Map<string, StoredSend>();

  /** `user`: the user, if known before the server confirms it. */
  constructor(server: string, user = "") {
    this.#server = server;
    this.#user = user;
  }

  /** `left`: it is about to be sent. */
  put(id: string, frame: string, left: boolean): void {
    const kept: StoredSend = { id, server: this.#server, user: this.#user, tab: this.#tab, frame };
    this.#put(left ? { ...kept, left: Date.now() } : kept);
  }

  /** The message has been sent, and may be stored. */
  left(id: string): void {
    const kept = this.#kept.get(id);
    if (kept !== undefined && kept.left === undefined) this.#put({ ...kept, left: Date.now() });
  }

  delete(id: string): void {
    this.#kept.delete(id);
    this.#write((store) => store.delete(id));
  }

  /** The server has confirmed the user. Returns the user's unsent messages, oldest first. */
  async signedIn(user: string): Promise<readonly StoredSend[]> {
    this.#user = user;
    for (const kept of this.#kept.values()) if (kept.user === "") this.#put({ ...kept, user });
    const read = async () => {
      const db = await this.#db;
      return db && result<StoredSend[]>(() => db.transaction(STORE).objectStore(STORE).getAll());
    };
    let all = await read();
    if (all === undefined) {
      this.#reopen();
      all = await read();
    }
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

  #put(kept: StoredSend): void {
    this.#kept.set(kept.id, kept);
    this.#write((store) => store.put(kept));
  }

  #write(act: (store: IDBObjectStore) => void): void {
    this.#db = this.#db.then((db) => {
      try {
        const transaction = db?.transaction(STORE, "readwrite");
        if (transaction !== undefined) {
          transaction.onabort = () => {
            // Not if the disk is full: the message is still in memory.
            if (transaction.error?.name !== "QuotaExceededError") this.#reopen(act);
          };
          act(transaction.objectStore(STORE));
          // Committed explicitly: the page may be closed before an automatic commit.
          transaction.commit();
        }
      } catch {
        this.#reopen(act);
      }
      return db;
    });
  }

  /**
   * The database is gone: browsers close it under a page that was suspended, or when they run out of memory. What may not
   * have been written is written again.
   */
  #reopen(act?: (store: IDBObjectStore) => void): void {
    this.#db = this.#db.then(async (old) => {
      old?.close();
      const db = await open();
      try {
        const store = db?.transaction(STORE, "readwrite").objectStore(STORE);
        if (store !== undefined) {
          for (const kept of this.#kept.values()) store.put(kept);
          act?.(store);
        }
      } catch {
        // Gone again: the next write opens it.
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

// As much of IndexedDB as the outbox uses, with what a browser may do to it: close the database under the page, or abort a
// transaction. Everything happens in microtasks.

type Row = { readonly id: string } & Record<string, unknown>;

export class FakeIndexedDB {
  /** What is on disk. */
  rows = new Map<string, Row>();
  opened = 0;
  /** Aborts the next transactions with an error of this name. */
  abortWith: string | undefined;
  #databases: FakeDatabase[] = [];

  open() {
    this.opened++;
    const database = new FakeDatabase(this);
    this.#databases.push(database);
    return request(() => database);
  }

  /** The browser closes the database, without a word. */
  vanish(): void {
    for (const database of this.#databases) database.closed = true;
  }

  get ids(): string[] {
    return [...this.rows.keys()].sort();
  }
}

class FakeDatabase {
  closed = false;
  onversionchange: unknown;
  readonly #disk: FakeIndexedDB;

  constructor(disk: FakeIndexedDB) {
    this.#disk = disk;
  }

  close(): void {
    this.closed = true;
  }

  transaction(_store: string, mode = "readonly") {
    if (this.closed) throw new DOMException("The database connection is closing.", "InvalidStateError");
    const disk = this.#disk;
    const rows = new Map(disk.rows);
    const transaction = {
      error: null as DOMException | null,
      onabort: undefined as (() => void) | undefined,
      commit: () => {},
      objectStore: () => ({
        put: (row: Row) => void rows.set(row.id, row),
        delete: (id: string) => void rows.delete(id),
        getAll: () => request(() => [...rows.keys()].sort().map((id) => rows.get(id))),
      }),
    };
    if (mode === "readwrite") {
      const abort = disk.abortWith;
      queueMicrotask(() => {
        if (abort === undefined) disk.rows = rows;
        else {
          transaction.error = new DOMException("aborted", abort);
          transaction.onabort?.();
        }
      });
    }
    return transaction;
  }
}

function request<Value>(value: () => Value) {
  const asked = { result: undefined as Value | undefined, onsuccess: undefined as (() => void) | undefined };
  queueMicrotask(() => {
    asked.result = value();
    asked.onsuccess?.();
  });
  return asked;
}

// What happened to the connection, in the order it happened: state changes with their reasons, faults, gaps. Shown in the
// fault panel; kept in memory only.

export type JournalKind = "state" | "fault" | "room" | "error";

export interface JournalEntry {
  readonly key: number;
  /** ms since 1970. */
  readonly at: number;
  readonly kind: JournalKind;
  /** A few words: what happened. */
  readonly title: string;
  /** Why. Empty when there is nothing to say. */
  readonly reason: string;
}

/** How many entries are kept: enough for a session of breaking things, small enough to render at once. */
const KEPT = 200;

export class Journal {
  #entries: readonly JournalEntry[] = [];
  #next = 1;
  readonly #listeners = new Set<() => void>();

  /** Newest first. */
  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  add(kind: JournalKind, title: string, reason = ""): void {
    const entry = { key: this.#next++, at: Date.now(), kind, title, reason };
    this.#entries = [entry, ...this.#entries].slice(0, KEPT);
    for (const listener of this.#listeners) listener();
  }
}

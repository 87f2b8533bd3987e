// The event log of the fault panel: state changes with their reasons, faults and gaps. Kept in memory only.

export type EventKind = "state" | "fault" | "room" | "error";

export interface LogEntry {
  readonly key: number;
  /** ms since 1970. */
  readonly at: number;
  readonly kind: EventKind;
  /** What happened, in a few words. */
  readonly title: string;
  /** The reason; empty if there is none. */
  readonly reason: string;
}

/** Maximum number of entries. */
const KEPT = 200;

export class EventLog {
  #entries: readonly LogEntry[] = [];
  #next = 1;
  readonly #listeners = new Set<() => void>();

  /** Newest first. */
  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  add(kind: EventKind, title: string, reason = ""): void {
    const entry = { key: this.#next++, at: Date.now(), kind, title, reason };
    this.#entries = [entry, ...this.#entries].slice(0, KEPT);
    for (const listener of this.#listeners) listener();
  }
}

// Drafts by chat: the text, and the message that it replies to or edits. Kept in sessionStorage where that is allowed,
// so that a reload loses nothing.

export interface Draft {
  readonly text: string;
  /** The id of the message that it replies to. */
  readonly replyTo?: string;
  /** The id of the own message that it edits. */
  readonly editing?: string;
}

export const EMPTY: Draft = { text: "" };

const KEY = "everwire-demo.drafts";

/** Where drafts are stored. */
export type DraftStorage = Pick<Storage, "getItem" | "setItem">;

export class Drafts {
  readonly #storage: DraftStorage | undefined;
  readonly #key: string;
  readonly #drafts: Map<string, Draft>;
  readonly #listeners = new Set<() => void>();

  /** `user`: the owner of the drafts. */
  constructor(user: string, storage: DraftStorage | undefined) {
    this.#storage = storage;
    this.#key = `${KEY}.${user}`;
    this.#drafts = new Map(this.#stored());
  }

  get(chat: string): Draft {
    return this.#drafts.get(chat) ?? EMPTY;
  }

  set(chat: string, draft: Draft): void {
    if (draft.text === "" && !draft.replyTo && !draft.editing) this.#drafts.delete(chat);
    else this.#drafts.set(chat, draft);
    try {
      this.#storage?.setItem(this.#key, JSON.stringify([...this.#drafts]));
    } catch {
      // Storage is full or denied: drafts last until the page is closed.
    }
    for (const listener of this.#listeners) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #stored(): [string, Draft][] {
    try {
      const stored: unknown = JSON.parse(this.#storage?.getItem(this.#key) ?? "[]");
      if (!Array.isArray(stored)) return [];
      return stored.filter(
        (entry): entry is [string, Draft] =>
          Array.isArray(entry) && typeof entry[0] === "string" && typeof entry[1]?.text === "string",
      );
    } catch {
      return [];
    }
  }
}

// What was begun and not sent, chat by chat: the text, and which message it answers or corrects. Kept in sessionStorage where
// that is allowed, so that a reload costs nobody a sentence.

export interface Draft {
  readonly text: string;
  /** The id of the message that it answers. */
  readonly replyTo?: string;
  /** The id of the own message that it corrects. */
  readonly editing?: string;
}

export const EMPTY: Draft = { text: "" };

const KEY = "everwire-demo.drafts";

/** What drafts are kept in. */
export type Shelf = Pick<Storage, "getItem" | "setItem">;

export class Drafts {
  readonly #shelf: Shelf | undefined;
  readonly #key: string;
  readonly #drafts: Map<string, Draft>;
  readonly #listeners = new Set<() => void>();

  /** `user`: whose they are. */
  constructor(user: string, shelf: Shelf | undefined) {
    this.#shelf = shelf;
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
      this.#shelf?.setItem(this.#key, JSON.stringify([...this.#drafts]));
    } catch {
      // Full or denied: the drafts live as long as the page.
    }
    for (const listener of this.#listeners) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #stored(): [string, Draft][] {
    try {
      const stored: unknown = JSON.parse(this.#shelf?.getItem(this.#key) ?? "[]");
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

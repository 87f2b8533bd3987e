// What a screen reader is told without being asked. Things that happen close together are said in one sentence, and only the
// last of a kind: polite, and never a recital of a busy room.

export type Topic = "messages" | "connection";

/** How long to wait for more of the same before speaking, in ms. */
const GATHER_MS = 700;

export class Announcer {
  #text = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heard = 0;
  readonly #pending = new Map<Topic, string>();
  readonly #listeners = new Set<() => void>();

  /** What the live region holds. */
  get text(): string {
    return this.#text;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells of a message: the whole of it when it is alone, else how many there are. */
  heard(name: string, text: string): void {
    this.#heard++;
    this.say(
      "messages",
      this.#heard === 1 ? `${name}: ${text}` : `${this.#heard} new messages, the last from ${name}.`,
    );
  }

  /** Says `text` soon; replaces what was about to be said on the same topic. */
  say(topic: Topic, text: string): void {
    this.#pending.set(topic, text);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const said = [...this.#pending.values()].join(" ");
      this.#pending.clear();
      this.#heard = 0;
      // A region that gets the same text twice stays silent: an invisible difference makes it speak again.
      this.#text = said === this.#text ? `${said}\u00a0` : said;
      for (const listener of this.#listeners) listener();
    }, GATHER_MS);
  }
}

// Announcements for screen readers. Events that happen close together are announced in one sentence, and only the
// latest of each topic, so that a busy chat is not read out in full.

export type Topic = "messages" | "connection";

/** How long to collect announcements before speaking, in ms. */
const GATHER_MS = 700;

export class Announcer {
  #text = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #messages = 0;
  readonly #pending = new Map<Topic, string>();
  readonly #listeners = new Set<() => void>();

  /** The text of the live region. */
  get text(): string {
    return this.#text;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Announces a message: its text if it is the only one, otherwise how many arrived. */
  announceMessage(name: string, text: string): void {
    this.#messages++;
    this.announce(
      "messages",
      this.#messages === 1 ? `${name}: ${text}` : `${this.#messages} new messages, the last from ${name}.`,
    );
  }

  /** Announces `text` soon, replacing a pending announcement of the same topic. */
  announce(topic: Topic, text: string): void {
    this.#pending.set(topic, text);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const sentence = [...this.#pending.values()].join(" ");
      this.#pending.clear();
      this.#messages = 0;
      // Screen readers ignore a region whose text does not change, so append an invisible character.
      this.#text = sentence === this.#text ? `${sentence}\u00a0` : sentence;
      for (const listener of this.#listeners) listener();
    }, GATHER_MS);
  }
}

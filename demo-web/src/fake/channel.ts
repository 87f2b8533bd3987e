// An in-memory channel with initial data for the board.

import type { Subscribed } from "everwire";
import { type BoardEntry, EMPTY_BOARD } from "../board/board";
import { newActivity, newOrder, toggleSystem } from "../board/events";
import type { MessengerChannel } from "../messenger/messengerApi";

export class FakeChannel implements MessengerChannel {
  readonly members = [];
  readonly #listeners = new Set<(entry: BoardEntry & { readonly offset: number }) => void>();
  #offset = 0;

  constructor(readonly name: string) {}

  readonly on: MessengerChannel["on"] = (event, listener) => {
    const listen = listener as (entry: object) => void;
    if (event === "event") this.#listeners.add(listen);
    return () => this.#listeners.delete(listen);
  };

  async subscribe(): Promise<Subscribed> {
    const subscribed = { epoch: "fake", offset: 0, head: 0, recovered: false };
    if (this.name !== "board") return subscribed;
    for (let n = 0; n < 5; n++) {
      const order = newOrder(EMPTY_BOARD, Math.random).data as { data: object };
      this.#say("data_update", { ...order, data: { ...order.data, id: String(1000 + n) } });
    }
    for (const system of ["shop", "payments", "mail", "search"])
      this.#say("status_update", { system, status: "ok", message: "Operational" });
    const broken = toggleSystem(EMPTY_BOARD, () => 0.5);
    this.#say(broken.event, broken.data);
    for (const user of ["grace", "linus", "ada"]) {
      const done = newActivity(user, Math.random);
      this.#say(done.event, done.data);
    }
    return subscribed;
  }

  async unsubscribe(): Promise<void> {}

  #say(event: string, data: object): void {
    const entry = { id: crypto.randomUUID(), offset: ++this.#offset, at: Date.now(), event, data };
    for (const listener of this.#listeners) listener(entry);
  }
}

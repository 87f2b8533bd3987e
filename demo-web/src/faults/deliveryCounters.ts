// Counts what a channel promised and what it did: sent, acked, received, and, from the offsets and ids alone, what came
// twice or never. It is a second pair of eyes on the client, so it takes nothing from the client's own bookkeeping.

/** The counts of one page, over all rooms. */
export interface Counts {
  /** Messages that this page sent. */
  readonly sent: number;
  /** Of these, how many the server says are stored. */
  readonly acked: number;
  /** Messages that reached the page's listener. */
  readonly received: number;
  /** Messages that reached it again: by offset, or by id. */
  readonly duplicated: number;
  /** Messages that never reached it, without a word: a hole in the offsets, or an acked message that is not there. */
  readonly lost: number;
  /** Messages that the server said can no longer be had: gaps. */
  readonly missing: number;
}

/** One store of counts, to which every room's `ChannelTally` adds. */
export class Tally {
  #counts: Counts = { sent: 0, acked: 0, received: 0, duplicated: 0, lost: 0, missing: 0 };
  readonly #listeners = new Set<() => void>();

  get counts(): Counts {
    return this.#counts;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  add(name: keyof Counts, count = 1): void {
    if (count <= 0) return;
    this.#counts = { ...this.#counts, [name]: this.#counts[name] + count };
    for (const listener of this.#listeners) listener();
  }
}

/** How many ids are remembered per channel, to find what was stored twice. More than a room shows. */
const REMEMBERED_IDS = 5000;

/** Watches one channel. */
export class ChannelTally {
  readonly #tally: Tally;
  #epoch: string | undefined;
  /** The last offset that was delivered, or from which delivery goes on; undefined until subscribed. */
  #at: number | undefined;
  readonly #ids = new Map<string, number>();
  /** What was acked and is still to be delivered: offset to id. */
  readonly #acked = new Map<number, string>();

  /** What was sent and not acked. */
  readonly #sent = new Set<string>();

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  /** `afresh`: not the continuation of what was delivered before, which may come again. */
  subscribed(epoch: string, offset: number, afresh: boolean): void {
    if (afresh) {
      this.#ids.clear();
      this.#acked.clear();
    } else if (this.#at !== undefined && this.#epoch === epoch) {
      // Without a gap said before, going on further along the same log skips something.
      this.#tally.add("lost", offset - this.#at);
    }
    if (this.#epoch !== epoch) this.#acked.clear();
    this.#epoch = epoch;
    this.#at = offset;
  }

  /** Comes before the `subscribed` that it belongs to. With another log, `to` says nothing about how many. */
  gap(from: number, to: number, reason: string): void {
    if (reason === "epoch") this.#epoch = undefined;
    else this.#tally.add("missing", to - from + 1);
    this.#at = undefined;
  }

  /** A message was given to the client. The same one may be queued again after a lost connection. */
  sent(id: string): void {
    if (this.#sent.has(id)) return;
    this.#sent.add(id);
    this.#tally.add("sent");
  }

  acked(id: string, offset: number): void {
    this.#sent.delete(id);
    this.#tally.add("acked");
    if (this.#at === undefined || offset > this.#at) this.#acked.set(offset, id);
    else if (this.#ids.size > 0 && this.#ids.get(id) !== offset && offset >= this.#oldest()) {
      this.#tally.add("lost");
    }
  }

  /** `plain`: not one that the server made, such as “somebody came in”. Those have their places in the log too. */
  message(id: string, offset: number, plain = true): void {
    if (this.#at !== undefined && offset <= this.#at) {
      this.#tally.add("duplicated");
      return;
    }
    if (plain) this.#tally.add("received");
    if (this.#at !== undefined) this.#tally.add("lost", offset - this.#at - 1);
    this.#at = offset;
    const acked = this.#acked.get(offset);
    this.#acked.delete(offset);
    if (acked !== undefined && acked !== id) this.#tally.add("lost");
    if (this.#ids.has(id)) this.#tally.add("duplicated");
    this.#ids.set(id, offset);
    if (this.#ids.size > REMEMBERED_IDS) {
      const first = this.#ids.keys().next();
      if (!first.done) this.#ids.delete(first.value);
    }
  }

  /** The smallest offset whose id is still remembered. Ids are kept in order of delivery. */
  #oldest(): number {
    const first = this.#ids.values().next();
    return first.done ? Number.POSITIVE_INFINITY : first.value;
  }
}

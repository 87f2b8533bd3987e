// Counts what a channel did: sent, acked and received messages, and, from offsets and ids alone, duplicates and losses.
// An independent check of the client, so it uses none of the client's own state.

/** The counts of one page, over all channels. */
export interface Counts {
  /** Messages that this page sent. */
  readonly sent: number;
  /** Sent messages that the server has stored. */
  readonly acked: number;
  /** Messages that reached the page's listener. */
  readonly received: number;
  /** Messages that reached it again, by offset or id. */
  readonly duplicated: number;
  /**
   * Messages that never reached it although no gap was declared: skipped offsets, or acked messages that did not
   * arrive.
   */
  readonly lost: number;
  /** Messages in gaps that the server declared. */
  readonly missing: number;
}

/** The counters of the page, to which the `ChannelCounter` of each channel adds. */
export class DeliveryCounters {
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

/** How many ids are remembered per channel to detect duplicates. */
const REMEMBERED_IDS = 5000;

/** Counts for one channel. */
export class ChannelCounter {
  readonly #counters: DeliveryCounters;
  #epoch: string | undefined;
  /** The last delivered offset, or the one from which delivery continues; undefined until subscribed. */
  #at: number | undefined;
  readonly #ids = new Map<string, number>();
  /** Acked but not yet delivered: offset to id. */
  readonly #acked = new Map<number, string>();

  /** Sent but not yet acked. */
  readonly #sent = new Set<string>();

  constructor(counters: DeliveryCounters) {
    this.#counters = counters;
  }

  /** `isNew`: a new subscription, not a resumed one; entries may be delivered again. */
  subscribed(epoch: string, offset: number, isNew: boolean): void {
    if (isNew) {
      this.#ids.clear();
      this.#acked.clear();
    } else if (this.#at !== undefined && this.#epoch === epoch) {
      // A later position in the same log without a declared gap means that entries were skipped.
      this.#counters.add("lost", offset - this.#at);
    }
    if (this.#epoch !== epoch) this.#acked.clear();
    this.#epoch = epoch;
    this.#at = offset;
  }

  /** Precedes its `subscribed`. If the log was replaced, `to` does not tell how many are missing. */
  gap(from: number, to: number, reason: string): void {
    if (reason === "epoch") this.#epoch = undefined;
    else this.#counters.add("missing", to - from + 1);
    this.#at = undefined;
  }

  /** A message was queued. The same one may be queued again after a lost connection. */
  sent(id: string): void {
    if (this.#sent.has(id)) return;
    this.#sent.add(id);
    this.#counters.add("sent");
  }

  acked(id: string, offset: number): void {
    this.#sent.delete(id);
    this.#counters.add("acked");
    if (this.#at === undefined || offset > this.#at) this.#acked.set(offset, id);
    else if (this.#ids.size > 0 && this.#ids.get(id) !== offset && offset >= this.#oldest()) {
      this.#counters.add("lost");
    }
  }

  /** `isMessage`: not a system message. Those have offsets too. */
  message(id: string, offset: number, isMessage = true): void {
    if (this.#at !== undefined && offset <= this.#at) {
      this.#counters.add("duplicated");
      return;
    }
    if (isMessage) this.#counters.add("received");
    if (this.#at !== undefined) this.#counters.add("lost", offset - this.#at - 1);
    this.#at = offset;
    const acked = this.#acked.get(offset);
    this.#acked.delete(offset);
    if (acked !== undefined && acked !== id) this.#counters.add("lost");
    if (this.#ids.has(id)) this.#counters.add("duplicated");
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

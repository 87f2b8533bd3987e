// A cut in mid-stream: the server publishes 200 messages, one every 20 ms; after the first second the proxy resets open
// connections, and new ones for two seconds. Which messages are missing at the listener in the end, and which are
// duplicated?

import { setTimeout as sleep } from "node:timers/promises";
import { publishSlowly } from "../run/protocol.js";
import { LIVE } from "../servers/live.js";
import { type Environment, type Subject, visit } from "./faults.js";
import { CONNECT_TIMEOUT_MS, SETTLED_MS } from "./silence.js";

export const PUBLISHED = 200;
const EVERY_MS = 20;
const BEFORE_MS = 1_000;
export const CUT_MS = 2_000;

/** How long to wait for missing messages after the last one was published. */
const LATE_MS = 15_000;

/** One row of the result: for each round, the number of messages and the time until it was subscribed again. */
export interface Cut {
  readonly name: string;
  readonly lost: number[];
  readonly duplicated: number[];
  /** After the cut was over, in ms; null: not within the limit. */
  readonly subscribed_ms: (number | null)[];
}

/** The result of one round. */
export interface Outcome {
  readonly lost: number;
  readonly duplicated: number;
  readonly subscribedMs: number | null;
}

export function cut(environment: Environment, subject: Subject, round: number): Promise<Outcome> {
  const everwire = subject.server === "everwire";
  // Everwire's server keeps what was published in the previous round.
  const channel = everwire ? `${LIVE}.${round}` : LIVE;
  return visit(environment, subject, { channel }, async ({ page, proxy, server }) => {
    if ((await page.evaluate(`faults.open("subscribed", ${CONNECT_TIMEOUT_MS})`)) === null) {
      throw new Error(`${subject.name} did not connect`);
    }
    await sleep(SETTLED_MS);
    const published = everwire
      ? publishSlowly(server, channel, PUBLISHED, EVERY_MS)
      : fetch(`${server}/publish?count=${PUBLISHED}&every=${EVERY_MS}`);
    await sleep(BEFORE_MS);
    proxy.rule = "reset";
    proxy.cut();
    await sleep(CUT_MS);
    proxy.rule = "pass";
    const subscribed = page.evaluate<number | null>(`faults.next("subscribed", ${LATE_MS})`);
    await published;
    const missing = (received: readonly number[]) => PUBLISHED - new Set(received).size;
    const read = () => page.evaluate<number[]>("faults.received()");
    const deadline = performance.now() + LATE_MS;
    while (missing(await read()) > 0 && performance.now() < deadline) await sleep(250);
    const subscribedMs = await subscribed;
    // Duplicates may arrive late.
    await sleep(SETTLED_MS);
    const received = await read();
    const lost = missing(received);
    if (Math.max(...received, 0) > PUBLISHED)
      throw new Error(`${subject.name} received messages that were not published`);
    return { lost, duplicated: received.length - (PUBLISHED - lost), subscribedMs };
  });
}

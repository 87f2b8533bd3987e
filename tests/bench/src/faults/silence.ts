// A dead socket: open connections carry nothing more and nobody is told, new ones work. How long until the client
// reports that it is connected again?

import { setTimeout as sleep } from "node:timers/promises";
import { LIVE } from "../servers/live.js";
import { type Environment, type Subject, visit } from "./faults.js";

/** The events that the page gets meanwhile, and the limit. */
export interface Wakeup {
  /**
   * `online`: only that. `offline, online`: with a second between them in which new connections fail too, as in a
   * laptop that wakes up. `none`: the heartbeat has to detect it. Counted from the last event, or from the fault.
   */
  readonly event: "online" | "offline, online" | "none";
  readonly limit_ms: number;
}

export const SILENCES: readonly Wakeup[] = [
  { event: "online", limit_ms: 60_000 },
  { event: "offline, online", limit_ms: 60_000 },
  { event: "none", limit_ms: 75_000 },
];

/** One row of the result; null: not within the limit. */
export interface Silence extends Wakeup {
  readonly name: string;
  readonly ms: (number | null)[];
}

/** For the client to finish what it does after connecting, such as changing its transport. */
export const SETTLED_MS = 2_000;

/** For Node's servers to close idle HTTP connections, as they do long before anybody wakes up: a bit more than 5 s. */
const IDLE_MS = 7_000;

const OFFLINE_MS = 1_000;

/** The timeout for connecting without a fault. */
export const CONNECT_TIMEOUT_MS = 30_000;

export function silence(
  environment: Environment,
  subject: Subject,
  { event, limit_ms }: Wakeup,
): Promise<number | null> {
  return visit(environment, subject, { channel: LIVE }, async ({ page, proxy }) => {
    if ((await page.evaluate(`faults.open("subscribed", ${CONNECT_TIMEOUT_MS})`)) === null) {
      throw new Error(`${subject.name} did not connect`);
    }
    await sleep(IDLE_MS);
    if (event === "offline, online") {
      proxy.rule = "reset";
      proxy.swallow();
      await page.evaluate('dispatchEvent(new Event("offline"))');
      await sleep(OFFLINE_MS);
      proxy.rule = "pass";
    } else proxy.swallow();
    const before = proxy.passed;
    const eventArgument = event === "none" ? "" : ', "online"';
    const ms = await page.evaluate<number | null>(`faults.next("connected", ${limit_ms}${eventArgument})`);
    if (ms !== null && proxy.passed === before) {
      throw new Error(`${subject.name} reports that it is connected without a new connection`);
    }
    return ms;
  });
}

// A proxy that answers every WebSocket with 502 from the start: how long until the first message arrives by other
// means?

import { CHANNEL } from "../run/everwire.js";
import { type Environment, type Subject, visit } from "./faults.js";

/** One row of the result; null: not within the limit. Empty where it was not measured. */
export interface Blocked {
  readonly name: string;
  readonly ms: (number | null)[];
}

/** The limit, in ms. */
export const LIMIT_MS = 15_000;

export function blocked(environment: Environment, subject: Subject): Promise<number | null> {
  const target =
    subject.server === "everwire" ? { channel: CHANNEL, from: { recent: 1 } } : { channel: "first" };
  return visit(environment, subject, target, async ({ page, proxy }) => {
    proxy.rule = "refuse WebSockets";
    return await page.evaluate<number | null>(`faults.open("message", ${LIMIT_MS})`);
  });
}

// The delivery state of an own message, as an icon and as text.

import type { ChatRow, UserReceipt } from "../messenger/messengerApi";
import { joinNames } from "../people/statusText";

export type DeliveryStateKind = "waiting" | "sending" | "stored" | "delivered" | "read" | "failed";

export interface DeliveryState {
  readonly kind: DeliveryStateKind;
  readonly text: string;
}

/** `others`: the number of other members. */
export function deliveryState(row: ChatRow, others: number): DeliveryState {
  const { status, deliveredTo, readBy } = row;
  if (status === "queued") return { kind: "waiting", text: "Waiting for a connection" };
  if (status === "sent") return { kind: "sending", text: "Sending" };
  if (status === "failed") return { kind: "failed", text: "Failed" };
  if (readBy > 0) return { kind: "read", text: `Read${countText(readBy, others)}` };
  if (deliveredTo > 0) return { kind: "delivered", text: `Delivered${countText(deliveredTo, others, "to")}` };
  return { kind: "stored", text: "Stored" };
}

function countText(count: number, others: number, word = "by"): string {
  if (others <= 1) return "";
  return count >= others ? ` ${word} all` : ` ${word} ${count} of ${others}`;
}

/** Who has read the message at `offset`, and who has received it only, as sentences. */
export function receiptText(
  offset: number,
  receipts: ReadonlyMap<string, UserReceipt>,
  others: readonly { readonly user: string; readonly name: string }[],
): string {
  const matching = (have: (receipt: UserReceipt) => boolean) =>
    others.filter(({ user }) => {
      const receipt = receipts.get(user);
      return receipt !== undefined && have(receipt);
    });
  const read = matching((receipt) => receipt.read >= offset);
  const delivered = matching((receipt) => receipt.delivered >= offset && receipt.read < offset);
  const waiting = others.filter((one) => !read.includes(one) && !delivered.includes(one));
  const sentence = (text: string, people: typeof others) =>
    people.length === 0
      ? []
      : [
          `${text} ${joinNames(
            people.map(({ name }) => name),
            12,
          )}.`,
        ];
  return [
    ...sentence("Read by", read),
    ...sentence("Delivered to", delivered),
    ...sentence("Not delivered to", waiting),
  ].join(" ");
}

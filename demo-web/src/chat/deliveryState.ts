// How far an own message is: a mark, and the same in words.

import type { ChatRow, Mark } from "../messenger/messengerApi";
import { enumerated } from "../people/statusText";

export type MarkKind = "waiting" | "sending" | "stored" | "delivered" | "read" | "failed";

export interface HowFar {
  readonly kind: MarkKind;
  readonly words: string;
}

/** `others`: how many people besides oneself are in the chat. */
export function howFar(row: ChatRow, others: number): HowFar {
  const { status, deliveredTo, readBy } = row;
  if (status === "queued") return { kind: "waiting", words: "Waiting for the connection" };
  if (status === "sent") return { kind: "sending", words: "Sending" };
  if (status === "failed") return { kind: "failed", words: "Failed" };
  if (readBy > 0) return { kind: "read", words: `Read${by(readBy, others)}` };
  if (deliveredTo > 0) return { kind: "delivered", words: `Delivered${by(deliveredTo, others, "to")}` };
  return { kind: "stored", words: "Stored" };
}

function by(count: number, others: number, word = "by"): string {
  if (others <= 1) return "";
  return count >= others ? ` ${word} all` : ` ${word} ${count} of ${others}`;
}

/** Who has read and who has only received the message at `offset`, as sentences. */
export function whoHas(
  offset: number,
  receipts: ReadonlyMap<string, Mark>,
  others: readonly { readonly user: string; readonly name: string }[],
): string {
  const names = (have: (mark: Mark) => boolean) =>
    others.filter(({ user }) => {
      const mark = receipts.get(user);
      return mark !== undefined && have(mark);
    });
  const read = names((mark) => mark.read >= offset);
  const delivered = names((mark) => mark.delivered >= offset && mark.read < offset);
  const waiting = others.filter((one) => !read.includes(one) && !delivered.includes(one));
  const say = (words: string, people: typeof others) =>
    people.length === 0
      ? []
      : [
          `${words} ${enumerated(
            people.map(({ name }) => name),
            12,
          )}.`,
        ];
  return [...say("Read by", read), ...say("Delivered to", delivered), ...say("Not yet at", waiting)].join(
    " ",
  );
}

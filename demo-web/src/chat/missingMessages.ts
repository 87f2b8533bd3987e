// A gap in words: how much is missing, and why.

/** A gap as the client tells of it. */
export interface Missing {
  readonly from: number;
  readonly to: number;
  /** `trimmed`, `too_far` or `epoch`. */
  readonly reason: string;
}

const WHY: Readonly<Record<string, string>> = {
  trimmed: "While you were away, the server dropped its oldest ones.",
  too_far: "You were away for so long that the server does not send them all again.",
  epoch: "The server began this chat anew.",
};

/** How much is missing: the beginning of a sentence. In another log, nobody knows. */
export function missingTitle({ from, to, reason }: Missing): string {
  const count = to - from + 1;
  if (reason === "epoch" || count < 1) return "Messages are missing";
  return count === 1 ? "One message is missing" : `${count} messages are missing`;
}

/** Why, as a sentence of its own; empty for a reason that this page does not know. */
export function whyMissing(reason: string): string {
  return WHY[reason] ?? "";
}

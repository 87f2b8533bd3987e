// Gaps as text: how many messages are missing, and why.

/** A gap as the client reports it. */
export interface MissingRange {
  readonly from: number;
  readonly to: number;
  /** `trimmed`, `too_far` or `epoch`. */
  readonly reason: string;
}

const WHY: Readonly<Record<string, string>> = {
  trimmed: "The server no longer has them.",
  too_far: "There were too many to send at once.",
  epoch: "The server’s history of this chat was reset.",
};

/** How many messages are missing, without a full stop. Unknown if the log was replaced. */
export function missingTitle({ from, to, reason }: MissingRange): string {
  const count = to - from + 1;
  if (reason === "epoch" || count < 1) return "Messages are missing";
  return count === 1 ? "One message is missing" : `${count} messages are missing`;
}

/** The reason as a sentence; empty if it is unknown. */
export function missingReason(reason: string): string {
  return WHY[reason] ?? "";
}

// Where messages are missing: after which row the channel said so.

import type { Gap } from "everwire";
import { useEffect, useState } from "react";
import type { Room } from "../messenger/face";
import type { Missing } from "./missing";

/** What of a channel tells of gaps. The server in memory has none. */
interface Gapped {
  on(event: "gap", listener: (gap: Gap) => void): () => void;
}

const NONE: ReadonlyMap<string, readonly Missing[]> = new Map();

/** By the id of the row before the hole. */
export function useGaps(room: Room): [ReadonlyMap<string, readonly Missing[]>, () => void] {
  const [gaps, setGaps] = useState(NONE);
  useEffect(() => {
    setGaps(NONE);
    return (room.channel as unknown as Gapped).on("gap", (gap) => {
      const last = room.messages.rows.findLast(({ offset }) => offset !== undefined)?.id ?? "";
      setGaps((known) => new Map(known).set(last, [...(known.get(last) ?? []), gap]));
    });
  }, [room]);
  return [gaps, () => setGaps(NONE)];
}

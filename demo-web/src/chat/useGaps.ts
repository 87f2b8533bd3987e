// The gaps of a chat, by the row they follow, and a function that loads messages that are still stored.

import { useCallback, useEffect, useState } from "react";
import type { Room } from "../messenger/messengerApi";
import type { MissingRange } from "./missingMessages";

type Gaps = ReadonlyMap<string, readonly MissingRange[]>;

const NONE: Gaps = new Map();
/** Page size, and the maximum number of pages: 20,000 messages. */
const PAGE = 200;
const PAGES = 100;

export interface ChatGaps {
  /** By the id of the row before the gap. */
  readonly gaps: Gaps;
  load(after: string): Promise<void>;
  dismiss(after: string): void;
}

export function useGaps(room: Room): ChatGaps {
  const [gaps, setGaps] = useState(NONE);

  useEffect(() => {
    setGaps(NONE);
    return room.channel.on("gap", (gap) => {
      const last = room.messages.rows.findLast(({ offset }) => offset !== undefined)?.id ?? "";
      setGaps((gaps) => new Map(gaps).set(last, [...(gaps.get(last) ?? []), gap]));
    });
  }, [room]);

  const dismiss = useCallback((after: string) => {
    setGaps((gaps) => {
      const rest = new Map(gaps);
      rest.delete(after);
      return rest;
    });
  }, []);

  const load = useCallback(
    async (after: string) => {
      const next = () => {
        const { rows } = room.messages;
        return rows[rows.findLastIndex(({ id }) => id === after) + 1]?.id;
      };
      // The list loads the latest gap first, from its end: the gap is filled when the row after it stays the same.
      for (let page = 0; page < PAGES; page++) {
        const before = next();
        await room.messages.loadOlder(PAGE);
        if (next() === before) break;
      }
      dismiss(after);
    },
    [room, dismiss],
  );

  return { gaps, load, dismiss };
}

// The conversation, of which only what is seen is drawn. Stays at the end while the reader is there, keeps what is read in its
// place while older messages are fetched above it, and says how much is new below.

import { defaultRangeExtractor, useVirtualizer, type VirtualItem } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { DownIcon } from "../app/icons";
import { textOf } from "../chats/titles";
import type { ChatRow } from "../messenger/messengerApi";
import { ConversationLine } from "./ConversationLine";
import { countNew } from "./countUnread";
import { lineAt } from "./lines";
import type { Missing } from "./missingMessages";
import type { RowContext } from "./rowContext";
import type { Place, Places } from "./scrollPositions";
import { useOlder } from "./useOlderMessages";
import { useWindow } from "./useRowWindow";

/** How near the end still counts as the end, in CSS pixels: about two lines of text. */
const NEAR = 60;

interface Props {
  id: string;
  title: string;
  rows: readonly ChatRow[];
  hasOlder: boolean;
  missing: ReadonlyMap<string, readonly Missing[]>;
  /** Up to this offset it was read when the chat was opened; undefined: everything. */
  readBefore: number | undefined;
  /** Up to this offset it was seen before. */
  seenBefore: number;
  places: Places;
  context: RowContext;
  loadOlder(): Promise<boolean>;
  onRead(offset: number): void;
  empty: React.ReactNode;
}

export function Conversation(props: Props) {
  const { id, title, rows: all, hasOlder, missing, readBefore, seenBefore, places } = props;
  const { context, loadOlder, onRead, empty } = props;
  const { shown: rows, whole, widen, look } = useWindow(all);
  const box = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<string>();
  const [flash, setFlash] = useState<string>();
  const restored = useRef<Place | undefined>(places.get(id)).current;

  const activeIndex = useMemo(() => {
    const found = active === undefined ? -1 : rows.findLastIndex((row) => row.id === active);
    return found >= 0 ? found : rows.length - 1;
  }, [rows, active]);

  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: useCallback((index: number) => estimate(rows[index]), [rows]),
    getItemKey: useCallback((index: number) => rows[index]?.id ?? index, [rows]),
    // The one that has the focus stays, wherever the reader scrolls.
    rangeExtractor: useCallback(
      (range: Parameters<typeof defaultRangeExtractor>[0]) => {
        const shown = defaultRangeExtractor(range);
        if (activeIndex < 0 || activeIndex >= range.count || shown.includes(activeIndex)) return shown;
        return [...shown, activeIndex].sort((a, b) => a - b);
      },
      [activeIndex],
    ),
    overscan: 10,
    anchorTo: "end",
    // What is given back below is nothing new.
    followOnAppend: whole,
    scrollEndThreshold: NEAR,
    paddingStart: 16,
    paddingEnd: 12,
    ...(restored && { initialOffset: restored.offset, initialMeasurementsCache: restored.sizes }),
  });

  const count = rows.length;
  const started = useRef(false);
  useLayoutEffect(() => {
    if (started.current || count === 0) return;
    started.current = true;
    if (!restored) virtualizer.scrollToEnd();
  }, [count, restored, virtualizer]);

  const ends = useRef(whole);
  ends.current = whole;
  // Where the reader was is where the reader comes back to. Looked up while the page still has its heights.
  useLayoutEffect(
    () => () => {
      const element = box.current;
      if (!element || !started.current) return;
      const { scrollTop, scrollHeight, clientHeight } = element;
      if (ends.current && scrollHeight - scrollTop - clientHeight <= NEAR) places.delete(id);
      else places.set(id, { offset: scrollTop, sizes: virtualizer.takeSnapshot() });
    },
    [id, places, virtualizer],
  );

  // To the end, which moves while it is approached: rows are given back and measured on the way. Wanted until it is reached or
  // the reader goes elsewhere, and until then nothing is left out below, or the reader would stop where that begins.
  const endWanted = useRef(false);
  const approachEnd = () => {
    if (!endWanted.current || !whole) return;
    const shown = virtualizer.getVirtualItems().at(-1)?.index === count - 1;
    if (shown && virtualizer.isAtEnd(1)) endWanted.current = false;
    else virtualizer.scrollToEnd();
  };
  useLayoutEffect(approachEnd);
  const toEnd = () => {
    endWanted.current = true;
    widen();
    approachEnd();
  };
  const elsewhere = useCallback(() => {
    endWanted.current = false;
  }, []);

  // Whoever writes wants to see it.
  const lastOwn = all.at(-1)?.mine ? all.at(-1)?.id : undefined;
  const knownOwn = useRef(lastOwn);
  useLayoutEffect(() => {
    if (lastOwn !== undefined && lastOwn !== knownOwn.current) toEnd();
    knownOwn.current = lastOwn;
  });

  const lastSeen = virtualizer.range?.endIndex;
  useEffect(() => {
    if (!endWanted.current) look(lastSeen);
  });

  const items = virtualizer.getVirtualItems();
  const older = useOlder({ first: virtualizer.range?.startIndex, count, hasOlder, loadOlder });

  const atEnd = count === 0 || (whole && virtualizer.isAtEnd(NEAR));
  const seen = useLastSeen(
    seenBefore,
    rows,
    items,
    virtualizer.scrollOffset ?? 0,
    virtualizer.scrollRect?.height ?? 0,
  );
  useRead(seen, onRead);
  const unread = atEnd ? 0 : countNew(all, seen ?? 0);

  /** Brings a message to the middle and shows which it is; fetches what lies between if it has to. */
  const jump = useCallback(
    async (target: string) => {
      const found = await older.until((all) => all.findIndex((row) => row.id === target));
      if (found < 0) return;
      elsewhere();
      setActive(target);
      setFlash(target);
      virtualizer.scrollToIndex(found, { align: "center" });
    },
    [older.until, virtualizer, elsewhere],
  );
  older.rows.current = all;

  useEffect(() => {
    if (flash === undefined) return;
    const timer = setTimeout(() => setFlash(undefined), 1600);
    return () => clearTimeout(timer);
  }, [flash]);

  // Arrow keys go from message to message; the focus follows when the row is there.
  const focus = useRef<string>(undefined);
  useLayoutEffect(() => {
    if (focus.current === undefined) return;
    const row = box.current?.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focus.current)}"]`);
    if (!row) return;
    focus.current = undefined;
    row.focus({ preventScroll: true });
  });
  const key = (event: KeyboardEvent<HTMLElement>) => {
    const to = { ArrowUp: activeIndex - 1, ArrowDown: activeIndex + 1, Home: 0, End: count - 1 }[event.key];
    elsewhere();
    if (to === undefined || !(event.target as HTMLElement).dataset.focus) return;
    event.preventDefault();
    const row = rows[Math.max(0, Math.min(to, count - 1))];
    if (!row) return;
    focus.current = row.id;
    setActive(row.id);
    virtualizer.scrollToIndex(rows.indexOf(row), { align: "auto" });
  };

  const now = Date.now();
  return (
    <div className="conversation">
      <div
        className="scroll"
        ref={box}
        role="log"
        aria-live="off"
        aria-label={`Messages in ${title}`}
        onKeyDown={key}
        onWheel={elsewhere}
        onTouchMove={elsewhere}
        onPointerDown={elsewhere}
      >
        {nothingSaid(rows) && <div className="empty">{empty}</div>}
        <ol className="messages" style={{ height: count === 0 ? 0 : virtualizer.getTotalSize() }}>
          {items.map((item) => {
            const line = lineAt(rows, item.index, { missing, readBefore, now });
            return (
              line && (
                <ConversationLine
                  key={item.key}
                  item={item}
                  measure={virtualizer.measureElement}
                  line={line}
                  answered={
                    line.row.replyTo === undefined ? undefined : rowById(rows, line.row.replyTo, item.index)
                  }
                  of={hasOlder ? -1 : all.length}
                  begins={item.index === 0 && !hasOlder}
                  active={item.index === activeIndex}
                  flash={flash === line.row.id}
                  onActive={setActive}
                  onJump={jump}
                  context={context}
                />
              )
            );
          })}
        </ol>
      </div>
      {older.busy && (
        <p className="older quiet" role="status">
          Fetching older messages…
        </p>
      )}
      {!atEnd && (
        <button type="button" className="to-end" onClick={toEnd}>
          <DownIcon />
          {unread === 0 ? "To the latest" : unread === 1 ? "1 new message" : `${unread} new messages`}
        </button>
      )}
    </div>
  );
}

/** Whether there are only lines about who came and went. A chat with many of those has been talked in. */
function nothingSaid(rows: readonly ChatRow[]): boolean {
  return rows.length < 20 && rows.every(({ event }) => event);
}

/** The answered message comes before its answer, and mostly shortly before. */
function rowById(rows: readonly ChatRow[], id: string, before: number): ChatRow | undefined {
  for (let at = before - 1; at >= 0 && at > before - 2000; at--) if (rows[at]?.id === id) return rows[at];
  return undefined;
}

/** The height of a row before it was measured, in CSS pixels, from the length of its text. */
function estimate(row: ChatRow | undefined): number {
  if (!row || row.event) return 34;
  const lines = Math.ceil(textOf(row.data).length / 60);
  return 20 + lines * 22 + (row.replyTo ? 46 : 0);
}

/** The offset of the last message that is within view. */
function useLastSeen(
  before: number,
  rows: readonly ChatRow[],
  items: readonly VirtualItem[],
  top: number,
  height: number,
): number | undefined {
  const [highest, setHighest] = useState(before);
  let seen = highest;
  for (const { index, start } of items) {
    const offset = rows[index]?.offset;
    // Most of its first line is on the page.
    if (offset !== undefined && start + 24 <= top + height && offset > seen) seen = offset;
  }
  if (seen !== highest) setHighest(seen);
  return seen;
}

/** What is on a page that is seen has been read. */
function useRead(seen: number | undefined, onRead: (offset: number) => void): void {
  useEffect(() => {
    if (!seen) return;
    const look = () => {
      if (document.visibilityState === "visible") onRead(seen);
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [seen, onRead]);
}

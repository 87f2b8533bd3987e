// The message list, virtualized. It stays at the end while the user is there, keeps the scroll position while older
// messages are loaded above, and shows how many new messages are below.

import { defaultRangeExtractor, useVirtualizer, type VirtualItem } from "@tanstack/react-virtual";
import { ArrowDownIcon } from "lucide-react";
import {
  type KeyboardEvent,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { textOf } from "../chats/titles";
import type { ChatRow } from "../messenger/messengerApi";
import { ConversationLine } from "./ConversationLine";
import { countUnread } from "./countUnread";
import { lineAt } from "./lines";
import type { MissingRange } from "./missingMessages";
import type { RowContext } from "./rowContext";
import type { ScrollPosition, ScrollPositions } from "./scrollPositions";
import { useOlderMessages } from "./useOlderMessages";
import { useRowWindow } from "./useRowWindow";

/** Distance from the end that still counts as the end, in CSS pixels: about two lines of text. */
const NEAR = 60;

interface Props {
  id: string;
  title: string;
  rows: readonly ChatRow[];
  hasOlder: boolean;
  missing: ReadonlyMap<string, readonly MissingRange[]>;
  /** Entries up to this offset were read when the chat was opened; undefined: all of them. */
  readBefore: number | undefined;
  /** Entries up to this offset were seen before. */
  seenBefore: number;
  scrollPositions: ScrollPositions;
  context: RowContext;
  loadOlder(): Promise<boolean>;
  onRead(offset: number): void;
  empty: React.ReactNode;
}

export function Conversation(props: Props) {
  const { id, title, rows: all, hasOlder, missing, readBefore, seenBefore, scrollPositions } = props;
  const { context, loadOlder, onRead, empty } = props;
  const { shown: rows, isComplete, restoreAll, setLastSeen } = useRowWindow(all);
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<string>();
  const [flash, setFlash] = useState<string>();
  const restored = useRef<ScrollPosition | undefined>(scrollPositions.get(id)).current;

  const activeIndex = useMemo(() => {
    const found = active === undefined ? -1 : rows.findLastIndex((row) => row.id === active);
    return found >= 0 ? found : rows.length - 1;
  }, [rows, active]);

  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: useCallback((index: number) => estimate(rows[index]), [rows]),
    getItemKey: useCallback((index: number) => rows[index]?.id ?? index, [rows]),
    // Keep the focused row mounted, wherever the user scrolls.
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
    // Rows that are restored below are not new.
    followOnAppend: isComplete,
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

  const complete = useRef(isComplete);
  complete.current = isComplete;
  // Remember the scroll position on unmount, while the elements still have their heights.
  useLayoutEffect(
    () => () => {
      const element = scroller.current;
      if (!element || !started.current) return;
      const { scrollTop, scrollHeight, clientHeight } = element;
      if (complete.current && scrollHeight - scrollTop - clientHeight <= NEAR) scrollPositions.delete(id);
      else scrollPositions.set(id, { offset: scrollTop, sizes: virtualizer.takeSnapshot() });
    },
    [id, scrollPositions, virtualizer],
  );

  // Scrolls to the end, which moves in the process, because rows are restored and measured on the way. This stays
  // wanted until the end is reached or the user scrolls elsewhere; until then no rows are left out below, or
  // scrolling would stop there.
  const scrollingToEnd = useRef(false);
  const continueToEnd = () => {
    if (!scrollingToEnd.current || !isComplete) return;
    const shown = virtualizer.getVirtualItems().at(-1)?.index === count - 1;
    if (shown && virtualizer.isAtEnd(1)) scrollingToEnd.current = false;
    else virtualizer.scrollToEnd();
  };
  useLayoutEffect(continueToEnd);
  const scrollToEnd = () => {
    scrollingToEnd.current = true;
    restoreAll();
    continueToEnd();
  };
  const cancelScrollToEnd = useCallback(() => {
    scrollingToEnd.current = false;
  }, []);

  // Scroll to the end after sending a message.
  const lastOwn = all.at(-1)?.mine ? all.at(-1)?.id : undefined;
  const knownOwn = useRef(lastOwn);
  useLayoutEffect(() => {
    if (lastOwn !== undefined && lastOwn !== knownOwn.current) scrollToEnd();
    knownOwn.current = lastOwn;
  });

  const lastSeen = virtualizer.range?.endIndex;
  useEffect(() => {
    if (!scrollingToEnd.current) setLastSeen(lastSeen);
  });

  const items = virtualizer.getVirtualItems();
  const older = useOlderMessages({ first: virtualizer.range?.startIndex, count, hasOlder, loadOlder });

  const atEnd = count === 0 || (isComplete && virtualizer.isAtEnd(NEAR));
  const seen = useLastSeen(
    seenBefore,
    rows,
    items,
    virtualizer.scrollOffset ?? 0,
    virtualizer.scrollRect?.height ?? 0,
  );
  useMarkRead(seen, onRead);
  const unread = atEnd ? 0 : countUnread(all, seen ?? 0);

  /** Scrolls a message into the centre and highlights it; loads older messages if necessary. */
  const jump = useCallback(
    async (target: string) => {
      const found = await older.loadUntil((all) => all.findIndex((row) => row.id === target));
      if (found < 0) return;
      cancelScrollToEnd();
      setActive(target);
      setFlash(target);
      virtualizer.scrollToIndex(found, { align: "center" });
    },
    [older.loadUntil, virtualizer, cancelScrollToEnd],
  );
  older.rows.current = all;

  useEffect(() => {
    if (flash === undefined) return;
    const timer = setTimeout(() => setFlash(undefined), 1600);
    return () => clearTimeout(timer);
  }, [flash]);

  // Arrow keys move between messages; the row is focused once it is mounted.
  const focus = useRef<string>(undefined);
  useLayoutEffect(() => {
    if (focus.current === undefined) return;
    const row = scroller.current?.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focus.current)}"]`);
    if (!row) return;
    focus.current = undefined;
    row.focus({ preventScroll: true });
  });
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const to = { ArrowUp: activeIndex - 1, ArrowDown: activeIndex + 1, Home: 0, End: count - 1 }[event.key];
    cancelScrollToEnd();
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
        ref={scroller}
        role="log"
        aria-live="off"
        aria-label={`Messages in ${title}`}
        onKeyDown={onKeyDown}
        onWheel={cancelScrollToEnd}
        onTouchMove={cancelScrollToEnd}
        onPointerDown={cancelScrollToEnd}
      >
        {hasNoMessages(rows) && <div className="empty">{empty}</div>}
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
                  repliedTo={
                    line.row.replyTo === undefined ? undefined : rowById(rows, line.row.replyTo, item.index)
                  }
                  total={hasOlder ? -1 : all.length}
                  isStart={item.index === 0 && !hasOlder}
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
        <p className="older muted" role="status">
          Loading older messages…
        </p>
      )}
      {!atEnd && (
        <button type="button" className="jump-to-latest" onClick={scrollToEnd}>
          <ArrowDownIcon />
          {unread === 0 ? "Jump to latest" : unread === 1 ? "1 new message" : `${unread} new messages`}
        </button>
      )}
    </div>
  );
}

/** Whether there are system messages only. A chat with many of them counts as used. */
function hasNoMessages(rows: readonly ChatRow[]): boolean {
  return rows.length < 20 && rows.every(({ event }) => event);
}

/** Finds the message that is replied to, which is usually a short way above. */
function rowById(rows: readonly ChatRow[], id: string, before: number): ChatRow | undefined {
  for (let at = before - 1; at >= 0 && at > before - 2000; at--) if (rows[at]?.id === id) return rows[at];
  return undefined;
}

/** Estimates a row's height before it is measured, in CSS pixels, from the length of its text. */
function estimate(row: ChatRow | undefined): number {
  if (!row || row.event) return 34;
  const lines = Math.ceil(textOf(row.data).length / 60);
  return 20 + lines * 22 + (row.replyTo ? 46 : 0);
}

/** The offset of the last message that has been in view. */
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
    // Most of its first line is visible.
    if (offset !== undefined && start + 24 <= top + height && offset > seen) seen = offset;
  }
  if (seen !== highest) setHighest(seen);
  return seen;
}

/** What is in view on a visible page has been read. */
function useMarkRead(seen: number | undefined, onRead: (offset: number) => void): void {
  useEffect(() => {
    if (!seen) return;
    const update = () => {
      if (document.visibilityState === "visible") onRead(seen);
    };
    update();
    document.addEventListener("visibilitychange", update);
    return () => document.removeEventListener("visibilitychange", update);
  }, [seen, onRead]);
}

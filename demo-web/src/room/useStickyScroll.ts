// Keeps a list at its end while the reader is there, and leaves it alone once the reader has scrolled up.

import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

/** How near the end still counts as the end, in CSS pixels: about a line of text. */
const NEAR = 40;

export interface StickyScroll {
  /** For the element that scrolls. */
  box: RefObject<HTMLDivElement | null>;
  /** For the element inside it that grows. */
  content: RefObject<HTMLOListElement | null>;
  /** Whether the reader is at the end. */
  atEnd: boolean;
  toEnd(): void;
}

export function useStickyScroll(): StickyScroll {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLOListElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  // What the observers read: they must not run again for every change.
  const sticks = useRef(true);

  const toEnd = useCallback(() => {
    sticks.current = true;
    setAtEnd(true);
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, []);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let before = { top: 0, height: 0 };
    const look = () => {
      const { scrollTop: top, scrollHeight: height, clientHeight } = element;
      const near = height - top - clientHeight <= NEAR;
      // Being far from the end is no sign of the reader: rows may have come since we scrolled. Only going up is, and only if
      // it was not the list that became shorter.
      const wentUp = top < before.top && height >= before.height;
      before = { top, height };
      if (near || wentUp) {
        sticks.current = near;
        setAtEnd(near);
      }
    };
    element.addEventListener("scroll", look, { passive: true });
    return () => element.removeEventListener("scroll", look);
  }, []);

  // The box changes its height with the keyboard and the composer, the content with every row.
  useLayoutEffect(() => {
    const follow = new ResizeObserver(() => {
      if (sticks.current && box.current) box.current.scrollTop = box.current.scrollHeight;
    });
    if (box.current) follow.observe(box.current);
    if (content.current) follow.observe(content.current);
    return () => follow.disconnect();
  }, []);

  return { box, content, atEnd, toEnd };
}

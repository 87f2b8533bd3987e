// The scroll position of each chat, kept until the page is closed. A chat that was left at its end has none: it opens
// at the latest message.

import type { VirtualItem } from "@tanstack/react-virtual";

export interface ScrollPosition {
  /** In CSS pixels from the top. */
  readonly offset: number;
  readonly sizes: VirtualItem[];
}

export type ScrollPositions = Map<string, ScrollPosition>;

// UI state that is kept when the user switches between chats: drafts and scroll positions.

import { Drafts } from "./drafts";
import type { ScrollPositions } from "./scrollPositions";

export interface ChatUiState {
  readonly drafts: Drafts;
  readonly scrollPositions: ScrollPositions;
}

export function createChatUiState(user: string): ChatUiState {
  return { drafts: new Drafts(user, storage()), scrollPositions: new Map() };
}

function storage(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}

// What stays while one goes from chat to chat: drafts, and where the reader was.

import { Drafts } from "../chat/drafts";
import type { Places } from "../chat/scrollPositions";

export interface Desk {
  readonly drafts: Drafts;
  readonly places: Places;
}

export function makeDesk(user: string): Desk {
  return { drafts: new Drafts(user, storage()), places: new Map() };
}

function storage(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}

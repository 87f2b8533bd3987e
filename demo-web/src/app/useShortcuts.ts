// Keys that work anywhere but in a field: n for a new chat, / for the field to write in, Esc back to the list of chats.

import { useEffect } from "react";
import { openChats } from "./route";

const press = (selector: string) => document.querySelector<HTMLElement>(selector);

export function useShortcuts(): void {
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const { target } = event;
      const inField =
        target instanceof HTMLElement && target.closest("input, textarea, select, dialog, [popover]");
      // A dialog has its own keys, also where the focus was lost with what had it.
      if (inField || press("dialog[open]")) return;
      if (event.key === "n") press('button[aria-label="New chat"]')?.click();
      else if (event.key === "/") press(".composer textarea")?.focus();
      else if (event.key === "Escape") {
        openChats();
        press(".chat-list a[tabindex='0']")?.focus();
      } else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, []);
}

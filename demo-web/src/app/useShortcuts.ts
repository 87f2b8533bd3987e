// Keyboard shortcuts outside of input fields: n for a new chat, / for the message field, Esc for the chat list.

import { useEffect } from "react";
import { openChats } from "../page/route";

const query = (selector: string) => document.querySelector<HTMLElement>(selector);

export function useShortcuts(): void {
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const { target } = event;
      const inField =
        target instanceof HTMLElement && target.closest("input, textarea, select, dialog, [popover]");
      // Dialogs handle their own keys, even when the focused element inside was removed.
      if (inField || query("dialog[open]")) return;
      if (event.key === "n") query('button[aria-label="New chat"]')?.click();
      else if (event.key === "/") query(".composer textarea")?.focus();
      else if (event.key === "Escape") {
        openChats();
        query(".chat-list a[tabindex='0']")?.focus();
      } else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, []);
}

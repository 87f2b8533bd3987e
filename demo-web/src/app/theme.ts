// Light or dark: what the system asks for, until the visitor says otherwise. Sets `data-theme` on the root element; the
// colours themselves are in styles/tokens.css.

import { useState } from "react";
import { useMedia } from "./useMedia";

export type Theme = "light" | "dark";

const KEY = "everwire-demo.theme";

function remembered(): Theme | undefined {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : undefined;
  } catch {
    return undefined;
  }
}

function show(chosen: Theme | undefined): void {
  if (chosen) document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
}

/** Before the first picture is drawn: the page must not flash in the wrong colours. */
export function showRememberedTheme(): void {
  show(remembered());
}

/** The theme in use, and how to change to the other one. */
export function useTheme(): [Theme, () => void] {
  const system: Theme = useMedia("(prefers-color-scheme: dark)") ? "dark" : "light";
  const [chosen, setChosen] = useState(remembered);
  const theme = chosen ?? system;

  const toggle = () => {
    const next: Theme = theme === "dark" ? "light" : "dark";
    // Back to what the system says is back to following the system.
    const choice = next === system ? undefined : next;
    setChosen(choice);
    show(choice);
    try {
      if (choice) localStorage.setItem(KEY, choice);
      else localStorage.removeItem(KEY);
    } catch {
      // Not remembered: the choice holds until the page is left.
    }
  };

  return [theme, toggle];
}

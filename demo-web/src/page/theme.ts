// The light or dark theme: the system's, until the visitor chooses one. Sets `data-theme` on the root element; the
// colours are in styles/tokens.css.

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

/** Called before the first render, so that the page does not flash in the wrong colours. */
export function showRememberedTheme(): void {
  show(remembered());
}

/** The current theme, and a function that switches to the other one. */
export function useTheme(): [Theme, () => void] {
  const system: Theme = useMedia("(prefers-color-scheme: dark)") ? "dark" : "light";
  const [chosen, setChosen] = useState(remembered);
  const theme = chosen ?? system;

  const toggle = () => {
    const next: Theme = theme === "dark" ? "light" : "dark";
    // Choosing the system's theme means to follow the system again.
    const choice = next === system ? undefined : next;
    setChosen(choice);
    show(choice);
    try {
      if (choice) localStorage.setItem(KEY, choice);
      else localStorage.removeItem(KEY);
    } catch {
      // Storage is denied: the choice lasts until the page is closed.
    }
  };

  return [theme, toggle];
}

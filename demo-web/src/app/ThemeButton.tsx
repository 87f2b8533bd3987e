// Switches between the light and the dark theme.

import { MoonIcon, SunIcon } from "lucide-react";
import { useTheme } from "../page/theme";

export function ThemeButton() {
  const [theme, toggle] = useTheme();
  const label = theme === "dark" ? "Use light colours" : "Use dark colours";
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} onClick={toggle}>
      {theme === "dark" ? <SunIcon /> : <MoonIcon />}
    </button>
  );
}

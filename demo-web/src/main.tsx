// Starts the page. The fault layer takes its place first: whatever connects later goes through it.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { makeSurroundings } from "./app/surroundings";
import { showRememberedTheme } from "./app/theme";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/connection.css";
import "./styles/room.css";
import "./styles/faults.css";
import "./styles/timeline.css";
import "./styles/layout.css";

showRememberedTheme();

const surroundings = makeSurroundings();
surroundings.layer.install(window);

const root = document.getElementById("root");
if (!root) throw new Error("The page has no element with the id root.");
createRoot(root).render(
  <StrictMode>
    <App surroundings={surroundings} />
  </StrictMode>,
);

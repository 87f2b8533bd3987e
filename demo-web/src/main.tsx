// Starts the page. The fault layer takes its place first: whatever connects later goes through it.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { makeSurroundings } from "./app/surroundings";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/connection.css";
import "./styles/room.css";
import "./styles/faults.css";

const surroundings = makeSurroundings();
surroundings.layer.install(window);

// The server that served the page, unless the address names another: `?server=http://127.0.0.1:8080`.
const server = new URLSearchParams(location.search).get("server") ?? location.origin;

const root = document.getElementById("root");
if (!root) throw new Error("The page has no element with the id root.");
createRoot(root).render(
  <StrictMode>
    <App server={server} surroundings={surroundings} />
  </StrictMode>,
);

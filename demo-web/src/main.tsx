// Starts the page. The fault layer is installed first, so that every connection goes through it.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { createServices } from "./faults/services";
import { showRememberedTheme } from "./page/theme";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/connection.css";
import "./styles/controls.css";
import "./styles/chats.css";
import "./styles/chat.css";
import "./styles/composer.css";
import "./styles/notifications.css";
import "./styles/board.css";
import "./styles/faults.css";
import "./styles/timeline.css";
import "./styles/layout.css";

showRememberedTheme();

const services = createServices();
services.layer.install(window);

const root = document.getElementById("root");
if (!root) throw new Error("The page has no element with the id root.");
const page = createRoot(root);
if (import.meta.env.MODE === "fake") {
  const { FakeApp } = await import("./fake/FakeApp");
  page.render(<FakeApp services={services} />);
} else {
  page.render(
    <StrictMode>
      <App services={services} />
    </StrictMode>,
  );
}

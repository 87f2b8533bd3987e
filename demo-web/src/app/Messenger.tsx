// The layout of a signed-in visitor: the chat list, the current page, and the fault panel.

import { useEffect, useRef } from "react";
import { BoardPage } from "../board/BoardPage";
import { ChatPage } from "../chat/ChatPage";
import type { ChatUiState } from "../chat/chatUiState";
import type { Services } from "../faults/services";
import { Toasts } from "../notifications/Toasts";
import { useRoute } from "../page/route";
import { useMedia, WIDE } from "../page/useMedia";
import type { Identity } from "../people/identity";
import { BreakButton } from "./BreakButton";
import { Nothing } from "./EmptyState";
import { Sidebar } from "./Sidebar";
import { useShortcuts } from "./useShortcuts";
import { useTitle } from "./useTitle";

interface Props {
  me: Identity;
  uiState: ChatUiState;
  services: Services;
  connection: React.ReactNode;
  /** Renders the fault panel, if it is open. */
  panel: ((close: () => void) => React.ReactNode) | undefined;
  onFaults(open: boolean): void;
  onSignOut(): void;
}

export function Messenger({ me, uiState, services, connection, panel, onFaults, onSignOut }: Props) {
  const route = useRoute();
  const wide = useMedia(WIDE);
  const breakButton = useRef<HTMLButtonElement>(null);
  const main = useRef<HTMLElement>(null);
  useTitle(route, me.user);
  useShortcuts();

  const page = route.page === "chat" ? route.id : route.page;
  const before = useRef(page);
  useEffect(() => {
    // On a narrow screen the link that led here is unmounted, so move the focus to the start of the page.
    if (before.current !== page && !wide && document.activeElement === document.body) main.current?.focus();
    before.current = page;
  }, [page, wide]);

  const open = panel !== undefined;
  const tools = (
    <BreakButton ref={breakButton} layer={services.layer} open={open} onToggle={() => onFaults(!open)} />
  );
  const list = !wide && route.page === "chats";
  const side = <Sidebar me={me} route={route} tools={list ? tools : undefined} onSignOut={onSignOut} />;

  return (
    <div className="messenger" data-faults={open} data-page={route.page}>
      {wide && (
        <aside className="sidebar" aria-label="Chats, pages and you">
          {side}
        </aside>
      )}
      <main className={list ? "page sidebar" : "page"} ref={main} tabIndex={-1}>
        {list && (
          <>
            <h1 className="visually-hidden">Chats</h1>
            {side}
            {connection}
          </>
        )}
        {wide && route.page === "chats" && (
          <>
            <header className="page-head">
              <div className="page-title">
                <h1>Welcome, {me.name}</h1>
              </div>
              {tools}
            </header>
            {connection}
            <Nothing me={me.user} />
          </>
        )}
        {route.page === "chat" && (
          <ChatPage
            id={route.id}
            me={me.user}
            uiState={uiState}
            wide={wide}
            tools={tools}
            connection={connection}
          />
        )}
        {route.page === "board" && (
          <BoardPage me={me.user} wide={wide} tools={tools} connection={connection} />
        )}
      </main>
      {panel?.(() => {
        onFaults(false);
        breakButton.current?.focus();
      })}
      <Toasts />
    </div>
  );
}

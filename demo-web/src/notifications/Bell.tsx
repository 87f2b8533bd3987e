// The notification bell with its unread count, and the list of notifications. Opening the list marks them as read.

import { BellIcon } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { useMessenger, useNotificationList } from "../messenger/context";
import type { NotificationItem } from "../messenger/messengerApi";
import { ago } from "../people/statusText";
import { useNow } from "../people/useNow";
import { safeHref } from "./safeHref";

export function Bell() {
  const { notifications } = useMessenger();
  const list = useNotificationList();
  const unread = list.filter(({ read }) => !read).length;
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  return (
    <>
      <button
        ref={button}
        type="button"
        className="icon-button bell"
        aria-label={unread === 0 ? "Notifications" : `Notifications, ${unread} unread`}
        title="Notifications"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        data-testid="bell"
        data-unread={unread}
        onClick={() => setOpen(!open)}
      >
        <BellIcon />
        {unread > 0 && (
          <span className="badge" aria-hidden="true">
            {unread > 99 ? "99+" : unread}
          </span>
        )}
      </button>
      {open && (
        <Panel
          id={id}
          list={list}
          beside={button.current}
          onRead={() => notifications.markRead()}
          onClose={(back) => {
            setOpen(false);
            if (back) button.current?.focus();
          }}
        />
      )}
    </>
  );
}

interface PanelProps {
  id: string;
  list: readonly NotificationItem[];
  beside: HTMLElement | null;
  onRead(): void;
  onClose(back: boolean): void;
}

function Panel({ id, list, beside, onRead, onClose }: PanelProps) {
  const panel = useRef<HTMLElement>(null);
  const now = useNow();
  // Notifications that were unread when the list was opened stay highlighted.
  const [fresh] = useState(() => new Set(list.filter(({ read }) => !read).map((item) => item.id)));
  const close = useRef(onClose);
  close.current = onClose;
  const read = useRef(onRead);
  read.current = onRead;

  useEffect(() => {
    const element = panel.current;
    if (!element || !beside) return;
    element.showPopover();
    const { bottom, left } = beside.getBoundingClientRect();
    element.style.top = `${bottom + 6}px`;
    element.style.left = `${Math.max(8, Math.min(left, innerWidth - element.offsetWidth - 8))}px`;
    element.focus();
    const pressed = ({ target }: Event) => {
      if (target instanceof Node && !element.contains(target) && !beside.contains(target))
        close.current(false);
    };
    document.addEventListener("pointerdown", pressed, true);
    return () => document.removeEventListener("pointerdown", pressed, true);
  }, [beside]);

  // Notifications that arrive while the list is open are marked as read.
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever there is another one
  useEffect(() => read.current(), [list.length]);

  return (
    <section
      ref={panel}
      id={id}
      className="notification-list"
      aria-label="Notifications"
      popover="manual"
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose(true);
      }}
    >
      <h2>Notifications</h2>
      {list.length === 0 && (
        <p className="muted">No notifications yet. The board has a button that sends one to everybody.</p>
      )}
      <ul>
        {list.map((item) => (
          <li
            key={item.id}
            className="notification"
            data-testid="notification"
            data-unread-before={fresh.has(item.id)}
            data-priority={item.data.priority ?? "normal"}
          >
            <p>
              <strong dir="auto">{item.data.title}</strong>
              <time className="muted" dateTime={new Date(item.at).toISOString()}>
                {ago(item.at, now)}
              </time>
            </p>
            <p dir="auto">{item.data.message}</p>
            <More url={item.data.url} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function More({ url }: { url: string | undefined }) {
  const href = safeHref(url);
  return href === undefined ? null : (
    <a href={href} rel="noopener noreferrer nofollow" {...(href.startsWith("#") ? {} : { target: "_blank" })}>
      More
    </a>
  );
}

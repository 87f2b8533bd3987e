// A menu button. Arrow keys, Home, End, first letters and Esc work as usual; closing returns the focus to the button.
// The menu is in the browser's top layer, so that no scroll container clips it.

import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";

export interface MenuItem {
  readonly name: string;
  /** A second line. */
  readonly description?: string;
  readonly icon?: ReactNode;
  readonly danger?: boolean;
  /** Makes the item one of a radio group. */
  readonly checked?: boolean;
  onChoose(): void;
}

interface Props {
  /** The accessible name of the button and the menu. */
  label: string;
  /** The button is named by its contents. */
  plain?: boolean;
  items: readonly MenuItem[];
  className: string;
  children: ReactNode;
  /** For tests. */
  testId?: string;
  tabIndex?: number;
}

/** Distance between the menu and the edges of the window, in CSS pixels. */
const MARGIN = 8;

export function Menu({ label, plain = false, items, className, children, testId, tabIndex }: Props) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);

  return (
    <>
      <button
        ref={button}
        type="button"
        className={className}
        {...(!plain && { "aria-label": label, title: label })}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        data-testid={testId}
        tabIndex={tabIndex}
        onClick={() => setOpen(!open)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown") return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        {children}
      </button>
      {open && (
        <MenuList
          id={id}
          label={label}
          items={items}
          beside={button.current}
          onClose={(back) => {
            setOpen(false);
            if (back) button.current?.focus();
          }}
        />
      )}
    </>
  );
}

interface ListProps {
  id: string;
  label: string;
  items: readonly MenuItem[];
  beside: HTMLElement | null;
  /** `back`: return the focus to the button. */
  onClose(back: boolean): void;
}

function MenuList({ id, label, items, beside, onClose }: ListProps) {
  const list = useRef<HTMLDivElement>(null);
  const close = useRef(onClose);
  close.current = onClose;

  useEffect(() => {
    const element = list.current;
    if (!element || !beside) return;
    element.showPopover();
    place(element, beside.getBoundingClientRect());
    const checked = element.querySelector<HTMLElement>('[aria-checked="true"]');
    (checked ?? element.querySelector<HTMLElement>("[role^=menuitem]"))?.focus({ preventScroll: true });
    // Close on a click outside, and when scrolling moves the button.
    const pressed = ({ target }: Event) => {
      if (target instanceof Node && !element.contains(target) && !beside.contains(target))
        close.current(false);
    };
    const moved = ({ target }: Event) => {
      if (target instanceof Node && target.contains(beside)) close.current(false);
    };
    document.addEventListener("pointerdown", pressed, true);
    document.addEventListener("scroll", moved, true);
    return () => {
      document.removeEventListener("pointerdown", pressed, true);
      document.removeEventListener("scroll", moved, true);
    };
  }, [beside]);

  const key = (event: KeyboardEvent) => {
    const all = [...(list.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = nextIndex(event.key, at, all);
    if (to !== undefined) all[to]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") onClose(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div ref={list} id={id} className="menu" role="menu" aria-label={label} popover="manual" onKeyDown={key}>
      {items.map(({ name, description, icon, danger, checked, onChoose }) => (
        <button
          key={name}
          type="button"
          {...(checked === undefined
            ? { role: "menuitem" }
            : { role: "menuitemradio", "aria-checked": checked })}
          tabIndex={-1}
          className="menu-item"
          data-danger={danger}
          onClick={() => {
            onClose(true);
            onChoose();
          }}
        >
          {icon}
          <span>
            {name}
            {description && <span className="menu-description">{description}</span>}
          </span>
        </button>
      ))}
    </div>
  );
}

function nextIndex(key: string, at: number, all: readonly HTMLElement[]): number | undefined {
  const last = all.length - 1;
  if (key === "ArrowDown") return at === last ? 0 : at + 1;
  if (key === "ArrowUp") return at <= 0 ? last : at - 1;
  if (key === "Home") return 0;
  if (key === "End") return last;
  if (key.length !== 1 || key === " ") return undefined;
  const begins = all.findIndex((item) =>
    item.textContent?.trim().toLowerCase().startsWith(key.toLowerCase()),
  );
  return begins < 0 ? undefined : begins;
}

/** Places the menu below the button, or above it if there is no space; always inside the window. */
function place(menu: HTMLElement, beside: DOMRect): void {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = beside.bottom + 4;
  const top = below + height > innerHeight - MARGIN ? beside.top - height - 4 : below;
  const left = beside.left + width > innerWidth - MARGIN ? beside.right - width : beside.left;
  menu.style.top = `${Math.max(MARGIN, top)}px`;
  menu.style.left = `${Math.max(MARGIN, Math.min(left, innerWidth - width - MARGIN))}px`;
}

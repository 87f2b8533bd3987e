// A pane that slides over the page on narrow screens: a modal dialog, so that focus stays inside and Escape closes it.

import { type ReactNode, useEffect, useRef } from "react";

interface Props {
  label: string;
  open: boolean;
  onClose(): void;
  children: ReactNode;
}

export function Drawer({ label, open, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);

  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (open && !element.open) element.showModal();
    if (!open && element.open) element.close();
  }, [open]);

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog already; the click is for its backdrop
    <dialog
      ref={dialog}
      className="drawer"
      aria-label={label}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      {open && children}
    </dialog>
  );
}

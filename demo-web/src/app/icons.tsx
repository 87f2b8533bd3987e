// The few icons of the page, drawn on a 20 × 20 grid in the colour of the text. All are decoration: the control around one
// carries the name.

import type { ReactNode } from "react";

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg
      className="icon"
      viewBox="0 0 20 20"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

export const MenuIcon = () => (
  <Icon>
    <path d="M3.5 6h13M3.5 10h13M3.5 14h8" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="m5 5 10 10M15 5 5 15" />
  </Icon>
);

/** A wire, cut. */
export const BreakIcon = () => (
  <Icon>
    <path d="M2.5 10h4l1.5 2M17.5 10h-4L12 8" />
    <path d="m9.2 6.2-.7-2.4M10.8 13.8l.7 2.4" />
  </Icon>
);

export const SendIcon = () => (
  <Icon>
    <path d="M10 16V4.5M5 9.2l5-4.9 5 4.9" />
  </Icon>
);

export const SunIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="3.4" />
    <path d="M10 2.2v1.6M10 16.2v1.6M2.2 10h1.6M16.2 10h1.6M4.5 4.5l1.1 1.1M14.4 14.4l1.1 1.1M4.5 15.5l1.1-1.1M14.4 5.6l1.1-1.1" />
  </Icon>
);

export const MoonIcon = () => (
  <Icon>
    <path d="M16.3 12.2A6.7 6.7 0 0 1 7.8 3.7a6.7 6.7 0 1 0 8.5 8.5Z" />
  </Icon>
);

export const PlusIcon = () => (
  <Icon>
    <path d="M10 4.5v11M4.5 10h11" />
  </Icon>
);

export const DownIcon = () => (
  <Icon>
    <path d="M10 4.5v11M5.2 10.8l4.8 4.7 4.8-4.7" />
  </Icon>
);

export const ClockIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="6.4" />
    <path d="M10 6.4V10l2.4 1.6" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="m4.5 10.6 3.6 3.6 7.4-8" />
  </Icon>
);

export const WarnIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="6.9" />
    <path d="M10 6.2v4.6M10 13.6v.1" />
  </Icon>
);

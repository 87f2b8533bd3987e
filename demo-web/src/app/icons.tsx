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

export const BackIcon = () => (
  <Icon>
    <path d="M12.5 4.5 7 10l5.5 5.5" />
  </Icon>
);

export const BellIcon = () => (
  <Icon>
    <path d="M10 3a4.6 4.6 0 0 0-4.6 4.6c0 3.6-1.6 5.2-1.6 5.2h12.4s-1.6-1.6-1.6-5.2A4.6 4.6 0 0 0 10 3Z" />
    <path d="M8.4 15.6a1.7 1.7 0 0 0 3.2 0" />
  </Icon>
);

export const ChatIcon = () => (
  <Icon>
    <path d="M3.5 5.5a2 2 0 0 1 2-2h9a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H9l-3.6 3v-3a2 2 0 0 1-1.9-2Z" />
  </Icon>
);

export const BoardIcon = () => (
  <Icon>
    <path d="M3.5 16.5v-5M8 16.5v-9M12.5 16.5v-6M16.5 16.5v-12" />
  </Icon>
);

export const PeopleIcon = () => (
  <Icon>
    <circle cx="7.4" cy="7" r="2.7" />
    <path d="M2.6 16c.3-3 2.2-4.6 4.8-4.6s4.5 1.6 4.8 4.6" />
    <path d="M12.4 4.6a2.6 2.6 0 0 1 .3 4.9M14.2 11.8c1.8.5 2.9 2 3.2 4.2" />
  </Icon>
);

export const MoreIcon = () => (
  <Icon>
    <path d="M4.5 10h.01M10 10h.01M15.5 10h.01" strokeWidth="2.6" />
  </Icon>
);

export const ReplyIcon = () => (
  <Icon>
    <path d="M8 5 3.5 9.5 8 14M3.8 9.5h7.7c3 0 5 1.8 5 5.5" />
  </Icon>
);

export const EditIcon = () => (
  <Icon>
    <path d="m4 13.2-.7 3.5 3.5-.7 9-9-2.8-2.8ZM11.6 5.6l2.8 2.8" />
  </Icon>
);

export const DeleteIcon = () => (
  <Icon>
    <path d="M4 5.5h12M8 5.5V3.7h4v1.8M5.6 5.5l.7 11h7.4l.7-11M8.5 8.5v5M11.5 8.5v5" />
  </Icon>
);

export const CopyIcon = () => (
  <Icon>
    <rect x="7" y="7" width="9.5" height="9.5" rx="2" />
    <path d="M13 4.5a1 1 0 0 0-1-1H5.5a2 2 0 0 0-2 2V12a1 1 0 0 0 1 1" />
  </Icon>
);

/** Delivered: one behind the other. */
export const ChecksIcon = () => (
  <Icon>
    <path d="m1.8 10.8 3.4 3.4 6.6-7.4M9.4 13.4l.8.8 7.2-8" />
  </Icon>
);

export const InfoIcon = () => (
  <Icon>
    <circle cx="10" cy="10" r="6.9" />
    <path d="M10 9.2v4.4M10 6.5v.1" />
  </Icon>
);

export const LeaveIcon = () => (
  <Icon>
    <path d="M11.5 4H5.4a1.4 1.4 0 0 0-1.4 1.4v9.2A1.4 1.4 0 0 0 5.4 16h6.1M9 10h8M14 6.8l3.2 3.2-3.2 3.2" />
  </Icon>
);

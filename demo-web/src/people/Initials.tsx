// A person's initials on a coloured circle; the colour depends on the user id. Decorative: the name is always written
// beside it.

import type { CSSProperties } from "react";

/** The number of hues: few enough to be distinguishable. */
const TINTS = 12;

export function Initials({ user, name }: { user: string; name: string }) {
  const style = { "--tint": (hash(user) % TINTS) * (360 / TINTS) } as CSSProperties;
  return (
    <span className="initials" style={style} aria-hidden="true">
      {initials(name)}
    </span>
  );
}

function initials(name: string): string {
  const words = name.split(/[\s_-]+/).filter((word) => word !== "");
  const letters = [words[0], words.length > 1 ? words[words.length - 1] : undefined];
  return letters
    .map((word) => (word ? (Array.from(word)[0] ?? "") : ""))
    .join("")
    .toUpperCase();
}

/** FNV-1a: small, and spreads ids that differ in one letter. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}

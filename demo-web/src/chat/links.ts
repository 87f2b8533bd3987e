// Finds URLs in the text of messages. Only http and https URLs that the browser's own parser accepts become links.

export type Piece = { readonly text: string } | { readonly text: string; readonly href: string };

const CANDIDATE = /\bhttps?:\/\/[^\s<>"'`]+/giu;
const TRAILING = /[.,;:!?)\]}…]+$/u;

/** Splits `text` into plain parts and links; joined, the parts are `text` again. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    const shown = trimmed(match[0]);
    const href = safe(shown);
    if (href === undefined) continue;
    if (match.index > done) pieces.push({ text: text.slice(done, match.index) });
    pieces.push({ text: shown, href });
    done = match.index + shown.length;
  }
  if (done < text.length) pieces.push({ text: text.slice(done) });
  return pieces;
}

/** Removes trailing punctuation, but keeps a bracket that was opened inside the URL. */
function trimmed(candidate: string): string {
  const trailing = TRAILING.exec(candidate)?.[0];
  if (trailing === undefined) return candidate;
  const bare = candidate.slice(0, -trailing.length);
  return trailing.startsWith(")") && bare.includes("(") ? `${bare})` : bare;
}

function safe(candidate: string): string | undefined {
  if (!URL.canParse(candidate)) return undefined;
  const url = new URL(candidate);
  // URLs with a user name are used to disguise where a link leads.
  const plain = (url.protocol === "https:" || url.protocol === "http:") && url.username === "";
  return plain ? url.href : undefined;
}

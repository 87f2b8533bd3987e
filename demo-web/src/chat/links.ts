// Finds web addresses in what people write. Only http and https, and only what the browser's own parser takes for an
// address: nothing that somebody writes becomes a link to anything else.

export type Piece = { readonly text: string } | { readonly text: string; readonly href: string };

const CANDIDATE = /\bhttps?:\/\/[^\s<>"'`]+/giu;
const TRAILING = /[.,;:!?)\]}…]+$/u;

/** Cuts `text` into plain pieces and links; joined, the pieces are `text` again. */
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

/** Leaves out the punctuation of the sentence around it, but keeps a bracket that was opened inside. */
function trimmed(candidate: string): string {
  const trailing = TRAILING.exec(candidate)?.[0];
  if (trailing === undefined) return candidate;
  const bare = candidate.slice(0, -trailing.length);
  return trailing.startsWith(")") && bare.includes("(") ? `${bare})` : bare;
}

function safe(candidate: string): string | undefined {
  if (!URL.canParse(candidate)) return undefined;
  const url = new URL(candidate);
  // An address with a user name in it is how a link pretends to lead somewhere else.
  const plain = (url.protocol === "https:" || url.protocol === "http:") && url.username === "";
  return plain ? url.href : undefined;
}

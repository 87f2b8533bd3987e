// The text of a message, with URLs as links.

import { piecesOf } from "./links";

export function MessageText({ text }: { text: string }) {
  return piecesOf(text).map((piece, index) =>
    "href" in piece ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one text never move
      <a key={index} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
        {piece.text}
      </a>
    ) : (
      piece.text
    ),
  );
}

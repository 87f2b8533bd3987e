// The typing indicator. Its height is constant, so that the layout does not move.

import { useTypists } from "../messenger/context";
import type { Room } from "../messenger/messengerApi";
import { firstName, nameOf } from "../people/people";
import { typingText } from "../people/statusText";

export function TypingLine({ room }: { room: Room }) {
  const typists = useTypists(room);
  return (
    <p
      className="typing"
      data-testid="typing"
      data-typists={typists.map(({ user }) => user).join(" ")}
      data-on={typists.length > 0}
    >
      {typists.length > 0 && (
        <span className="dots" aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
      )}
      {typingText(typists.map((typist) => firstName(nameOf(typist))))}
    </p>
  );
}

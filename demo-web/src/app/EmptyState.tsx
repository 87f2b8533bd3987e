// Shown beside the chat list while no chat is open: what the demo is and what to try.

import { HREF_OF_BOARD } from "../page/route";
import { addressAs } from "../people/identity";
import { firstName, partnerOf } from "../people/people";

export function Nothing({ me }: { me: string }) {
  const partner = partnerOf(me);
  return (
    <div className="empty">
      <h2>Choose a chat</h2>
      <p className="muted">Or try this:</p>
      <ol className="suggestions">
        <li>
          <a href={addressAs(partner.user)} target="_blank" rel="noopener">
            Open a second window as {firstName(partner.name)}
          </a>
          , and write to yourself.
        </li>
        <li>
          Press <strong>Break it</strong>, cut the connection, and keep writing.
        </li>
        <li>
          Look at the <a href={HREF_OF_BOARD}>live board</a>: the same connection, without a chat.
        </li>
      </ol>
    </div>
  );
}

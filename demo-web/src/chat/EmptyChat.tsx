// Shown in a chat without messages: what to do, and how to try it without a second person.

import { othersOf, titleOf } from "../chats/titles";
import type { Chat } from "../messenger/messengerApi";
import { addressAs } from "../people/identity";
import { firstName, nameOf, personOf } from "../people/people";

export function EmptyChat({ chat, me }: { chat: Chat; me: string }) {
  const known = othersOf(chat, me).find(({ user }) => personOf(user));
  return (
    <>
      <h2>No messages yet</h2>
      <p className="muted">
        Write the first message to {titleOf(chat, me)}. People who are offline get it later.
      </p>
      {known && (
        <p>
          <a href={addressAs(known.user)} target="_blank" rel="noopener">
            Open a second window as {firstName(nameOf(known))}
          </a>
        </p>
      )}
    </>
  );
}

// What happened to a chat, as a sentence: its `everwire.chat` entries.

import type { Role } from "../messenger/face";
import { nameOf } from "../people/people";

/** What an entry holds, as far as this page relies on it. */
interface Change {
  readonly action?: unknown;
  readonly user?: unknown;
  readonly name?: unknown;
  readonly title?: unknown;
  readonly role?: unknown;
}

export const ROLES: Readonly<Record<Role, string>> = {
  owner: "Owner",
  member: "Member",
  read_only: "Reads only",
  invited: "Invited",
};

const AS: Readonly<Record<string, string>> = {
  owner: "an owner",
  member: "a member",
  read_only: "somebody who only reads",
};

/** `by`: who did it. Nothing for what this page does not know. */
export function changeWords(
  data: unknown,
  by: { user: string; name?: string | undefined },
  me: string,
): string {
  if (typeof data !== "object" || data === null) return "";
  const { action, user, name, title, role } = data as Change;
  const called = (id: string, known?: string) => (id === me ? "you" : nameOf({ user: id, name: known }));
  const who = capital(called(by.user, by.name));
  const itself = typeof user !== "string" || user === by.user;
  const whom = itself ? "" : called(user, typeof name === "string" ? name : undefined);
  switch (action) {
    case "created":
      return typeof title === "string" ? `${who} made the group “${title}”` : `${who} began this chat`;
    case "invited":
      return `${who} invited ${whom}`;
    case "joined":
      return itself ? `${who} came in` : `${who} added ${whom}`;
    case "left":
      return `${who} left`;
    case "removed":
      return `${who} removed ${whom}`;
    case "renamed":
      return `${who} named the chat “${typeof title === "string" ? title : ""}”`;
    case "role_set":
      return `${who} made ${whom || "themselves"} ${AS[String(role)] ?? String(role)}`;
    default:
      return "";
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

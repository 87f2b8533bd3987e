// What happened to a chat, as a sentence: its `everwire.chat` entries.

import type { Role } from "../messenger/messengerApi";
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

/** `by`: who did it; nobody if a back end did. Nothing for what this page does not know. */
export function changeWords(
  data: unknown,
  by: { user: string; name?: string | undefined },
  me: string,
): string {
  if (typeof data !== "object" || data === null) return "";
  const change = data as Change;
  const called = (id: string, known?: unknown) =>
    id === me ? "you" : nameOf({ user: id, name: typeof known === "string" ? known : undefined });
  const { user, name } = change;
  if (by.user === "")
    return doneBy(change, typeof user === "string" ? capital(called(user, name)) : "", user === me);
  const itself = typeof user !== "string" || user === by.user;
  return did(change, capital(called(by.user, by.name)), itself ? "" : called(user, name));
}

/** What somebody did to somebody; `whom` is empty if to nobody but themselves. */
function did({ action, title, role }: Change, who: string, whom: string): string {
  switch (action) {
    case "created":
      return typeof title === "string" ? `${who} made the group “${title}”` : `${who} began this chat`;
    case "invited":
      return `${who} invited ${whom}`;
    case "joined":
      return whom === "" ? `${who} came in` : `${who} added ${whom}`;
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

/** What was done by nobody in the chat. */
function doneBy({ action, title, role }: Change, whom: string, mine: boolean): string {
  const was = mine ? "were" : "was";
  switch (action) {
    case "created":
      return typeof title === "string" ? `The group “${title}” was made` : "This chat began";
    case "invited":
      return `${whom} ${was} invited`;
    case "joined":
      return `${whom} came in`;
    case "left":
      return `${whom} left`;
    case "removed":
      return `${whom} ${was} removed`;
    case "renamed":
      return `The chat is called “${typeof title === "string" ? title : ""}” now`;
    case "role_set":
      return `${whom} ${mine ? "are" : "is"} ${AS[String(role)] ?? String(role)} now`;
    default:
      return "";
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

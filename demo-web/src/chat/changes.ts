// System messages as text: the `everwire.chat` entries of a log.

import type { Role } from "../messenger/messengerApi";
import { nameOf } from "../people/people";

/** The fields of an entry that are used here. */
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
  read_only: "Read-only",
  invited: "Invited",
};

const ROLE_PHRASES: Readonly<Record<string, string>> = {
  owner: "an owner",
  member: "a member",
  read_only: "read-only",
};

/** `by`: who did it; empty if a back end did. Returns an empty string for unknown actions. */
export function changeText(
  data: unknown,
  by: { user: string; name?: string | undefined },
  me: string,
): string {
  if (typeof data !== "object" || data === null) return "";
  const change = data as Change;
  const displayName = (id: string, name?: unknown) =>
    id === me ? "you" : nameOf({ user: id, name: typeof name === "string" ? name : undefined });
  const { user, name } = change;
  if (by.user === "")
    return changeByBackEnd(
      change,
      typeof user === "string" ? capitalize(displayName(user, name)) : "",
      user === me,
    );
  const concernsSelf = typeof user !== "string" || user === by.user;
  return changeByMember(
    change,
    capitalize(displayName(by.user, by.name)),
    concernsSelf ? "" : displayName(user, name),
  );
}

/** An action of a member; `whom` is empty if it concerns themselves. */
function changeByMember({ action, title, role }: Change, who: string, whom: string): string {
  switch (action) {
    case "created":
      return typeof title === "string" ? `${who} created the group “${title}”` : `${who} started this chat`;
    case "invited":
      return `${who} invited ${whom}`;
    case "joined":
      return whom === "" ? `${who} joined` : `${who} added ${whom}`;
    case "left":
      return `${who} left`;
    case "removed":
      return `${who} removed ${whom}`;
    case "renamed":
      return `${who} renamed the chat to “${typeof title === "string" ? title : ""}”`;
    case "role_set":
      return `${who} made ${whom || "themselves"} ${ROLE_PHRASES[String(role)] ?? String(role)}`;
    default:
      return "";
  }
}

/** An action of a back end. */
function changeByBackEnd({ action, title, role }: Change, whom: string, mine: boolean): string {
  const was = mine ? "were" : "was";
  switch (action) {
    case "created":
      return typeof title === "string" ? `The group “${title}” was created` : "This chat was started";
    case "invited":
      return `${whom} ${was} invited`;
    case "joined":
      return `${whom} joined`;
    case "left":
      return `${whom} left`;
    case "removed":
      return `${whom} ${was} removed`;
    case "renamed":
      return `The chat was renamed to “${typeof title === "string" ? title : ""}”`;
    case "role_set":
      return `${whom} ${mine ? "are" : "is"} ${ROLE_PHRASES[String(role)] ?? String(role)} now`;
    default:
      return "";
  }
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

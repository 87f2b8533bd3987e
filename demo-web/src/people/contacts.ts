// The people whom the user can write to: those of the demo, those who are online, and members of shared chats.

import type { Chat, Status } from "../messenger/messengerApi";
import { nameOf, PEOPLE } from "./people";

export interface Contact {
  readonly user: string;
  readonly name: string;
  readonly status?: Status | undefined;
  readonly lastSeen?: number | undefined;
}

interface KnownUser {
  readonly user: string;
  readonly name?: string | undefined;
  readonly status?: Status | undefined;
  readonly lastSeen?: number | undefined;
}

/** Everyone but `me`: those who are online first, then by name. */
export function contactsOf(me: string, chats: readonly Chat[], online: readonly KnownUser[]): Contact[] {
  const found = new Map<string, Contact>();
  const add = (one: KnownUser) => {
    const { user, status = found.get(one.user)?.status, lastSeen } = one;
    const name = one.name ?? found.get(user)?.name ?? nameOf(one);
    if (user !== me) found.set(user, { user, name, status, lastSeen });
  };
  for (const person of PEOPLE) add(person);
  for (const { members } of chats) for (const member of members) add(member);
  for (const member of online) add({ status: "online", ...member });
  return [...found.values()].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

function rank({ status }: Contact): number {
  return status === "online" ? 0 : status === "away" ? 1 : 2;
}

/** Contacts with a name that has a word starting with `typed`. */
export function matching(contacts: readonly Contact[], typed: string): Contact[] {
  const wanted = typed.trim().toLowerCase();
  if (wanted === "") return [...contacts];
  return contacts.filter(({ name, user }) =>
    [name, user, ...name.split(/\s+/)].some((word) => word.toLowerCase().startsWith(wanted)),
  );
}

// The people of the demo, whom visitors can sign in as. The seed creates their chats.

import given from "../../seed/given.json";

export interface Person {
  readonly user: string;
  readonly name: string;
  /** A short description. */
  readonly line: string;
}

export const PEOPLE: readonly Person[] = given.people;

/** A group that anybody may join, for users without chats. */
export const OPEN_CHAT: { readonly id: string; readonly title: string } = given.openChat;

const BY_USER: ReadonlyMap<string, Person> = new Map(PEOPLE.map((person) => [person.user, person]));

export function personOf(user: string): Person | undefined {
  return BY_USER.get(user);
}

/** The display name: from the server, from this list, or the id. */
export function nameOf({
  user,
  name,
}: {
  readonly user: string;
  readonly name?: string | undefined;
}): string {
  return name ?? personOf(user)?.name ?? user;
}

/** The first name. */
export function firstName(name: string): string {
  return name.split(" ")[0] || name;
}

/** The person for the hint about a second window: never the visitor. */
export function partnerOf(me: string): Person {
  return (PEOPLE.find(({ user }) => user !== me && user !== "ada") ?? PEOPLE[0]) as Person;
}
